"""What changes in one invented night, school by school: classes, arrivals, departures, telephone numbers."""

from dataclasses import dataclass
from random import Random

from ops.synthesis import people
from ops.synthesis.people import Guardian, Pupil
from ops.synthesis.school import School, invent_family, random_for


@dataclass(frozen=True, slots=True)
class Night:
    moves: tuple[tuple[Pupil, str], ...]
    """A pupil and the division she moves to."""
    leavers: tuple[Pupil, ...]
    joiners: tuple[Pupil, ...]
    new_mobiles: tuple[tuple[Guardian, str], ...]


def invent_night(school: School, seed: int) -> Night:
    """About 2.5 % of a school's pupils, and at least one of each kind wherever there are enough to choose from."""
    random = random_for(seed, school.number, "night")
    count = len(school.pupils)
    moved, gone = max(1, round(count * 0.01)), max(1, round(count * 0.005))
    chosen = random.sample(school.pupils, min(count, moved + gone))
    first = school.number * (count + 100) + count
    # A school has one hundred numbers left for those who come later: a guardian's are twice a pupil's.
    joiners = [
        joiner
        for index in range(min(100, max(1, round(count * 0.003))))
        for joiner in invent_family(random, first + index, 1, school.plan)
    ]
    called = random.sample(school.guardians, min(len(school.guardians), max(1, round(count * 0.01))))
    return Night(
        moves=tuple((pupil, _other_division(random, school, pupil)) for pupil in chosen[gone:]),
        leavers=tuple(chosen[:gone]),
        joiners=tuple(joiners),
        new_mobiles=tuple((guardian, people.mobile(random)) for guardian in called),
    )


def _other_division(random: Random, school: School, pupil: Pupil) -> str:
    divisions = school.plan[pupil.level][1]
    return random.choice([division for division in divisions if division != pupil.division] or divisions)
