"""One invented school, whole: the same seed and number always give the same school, so it is never kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from ops.synthesis import people
from ops.synthesis.people import Guardian, Home, Member, Pupil
from ops.synthesis.places import COMMUNES
from ops.synthesis.teaching import COLLEGE, LYCEE, SUBJECTS, Level
from services.contract.errors import WrongSettings
from services.contract.identifiers import uai_check_letter

MOST_SCHOOLS = 9_000
"""The numbers of the invented département 099."""
_DIVISION_SIZE = 28

Plan = tuple[tuple[Level, tuple[str, ...]], ...]
"""The levels of a school, each with its divisions; a pupil's `level` is a place in it."""


@dataclass(frozen=True, slots=True)
class School:
    """`number` from 0; `id` is the jointure id."""

    number: int
    id: str
    uai: str
    name: str
    is_lycee: bool
    postcode: str
    town: str
    phone: str
    plan: Plan
    pupils: tuple[Pupil, ...]
    guardians: tuple[Guardian, ...]
    staff: tuple[Member, ...]


def random_for(seed: int, number: int, what: str) -> Random:
    """Chance that gives the same every time: these people are to be invented again, not to be secret."""
    return Random(f"{seed}/{number}/{what}")  # noqa: S311 — invented people, not keys


def uai(number: int) -> str:
    registered = 999_000 + number if number < 1000 else 999_999 - number
    return f"{registered:07d}{uai_check_letter(registered)}"


def invent_school(number: int, seed: int, pupils_per_school: int) -> School:
    if not 0 <= number < MOST_SCHOOLS:
        raise WrongSettings(f"schools: at most {MOST_SCHOOLS}")
    random = random_for(seed, number, "school")
    is_lycee = number % 3 == 2
    levels = LYCEE if is_lycee else COLLEGE
    per_level = max(1, round(pupils_per_school / len(levels) / _DIVISION_SIZE))
    plan = tuple((level, tuple(f"{level.prefix}{chr(65 + index)}" for index in range(per_level))) for level in levels)
    postcode, town = random.choice(COMMUNES)
    pupils = tuple(_pupils(random, number, pupils_per_school, plan))
    return School(
        number=number,
        id=str(7001 + number),
        uai=uai(number),
        name=f"{'LGT' if is_lycee else 'CLG'} {people.family_name(random)}",
        is_lycee=is_lycee,
        postcode=postcode,
        town=town,
        phone=people.landline(random),
        plan=plan,
        pupils=pupils,
        guardians=tuple({guardian.id: guardian for pupil in pupils for guardian in pupil.guardians}.values()),
        staff=tuple(_staff(random, number, pupils_per_school, plan)),
    )


def _pupils(random: Random, number: int, count: int, plan: Plan) -> Iterator[Pupil]:
    first = number * (count + 100)
    made = 0
    while made < count:
        siblings = min(random.choices((1, 2, 3), (78, 19, 3))[0], count - made)
        yield from invent_family(random, first + made, siblings, plan)
        made += siblings


def invent_family(random: Random, first: int, siblings: int, plan: Plan) -> list[Pupil]:
    """Siblings at the same school, with the guardians they share; `first` numbers the eldest."""
    family, home = people.family_name(random), people.home(random)
    ids = tuple(str(80_000_000 + first + index) for index in range(siblings))
    guardians = tuple(_guardians(random, first, family, home, ids))
    return [_pupil(random, first + index, family, guardians, plan) for index in range(siblings)]


def _guardians(random: Random, first: int, family: str, home: Home, pupils: tuple[str, ...]) -> Iterator[Guardian]:
    for index in range(1 + (random.random() < 0.66)):
        name = family if random.random() < 0.7 else people.family_name(random)
        given = people.given_name(random)
        relation, title = (("10", "Mme"), ("20", "M."))[index]
        number = 2 * first + index
        yield Guardian(
            id=str(100_000_000 + number),
            family=name,
            given=given,
            title=title,
            relation=relation,
            legal="2" if index and random.random() < 0.15 else "1",
            home=home if random.random() < 0.8 else people.home(random),
            mobile=people.mobile(random),
            email=people.email(given, name, number),
            may_pass_address_on=random.random() < 0.9,
            pupils=pupils,
        )


def _pupil(
    random: Random,
    number: int,
    family: str,
    guardians: tuple[Guardian, ...],
    plan: Plan,
) -> Pupil:
    level = random.randrange(len(plan))
    year_of_school, divisions = plan[level]
    division = random.choice(divisions)
    given, year = people.given_name(random), year_of_school.birth_year
    # The export is of mid-September: at a lycée all are 15 by then, at a collège none is.
    born = people.day_between(random, date(year, 1, 1), date(year, 8, 31))
    groups = [f"{division}GP{random.choice('12')}", f"{year_of_school.prefix}LV2-{random.choice('123')}"]
    return Pupil(
        id=str(80_000_000 + number),
        ine=people.ine(number),
        family=family,
        given=given,
        title=random.choice(("Mme", "M.")),
        birth=born,
        level=level,
        division=division,
        groups=tuple(groups[: random.choices((1, 2), (40, 60))[0]]),
        subjects=tuple(sorted(random.sample(range(len(SUBJECTS)), 12 + (random.random() < 0.1)))),
        guardians=guardians,
        email=people.email(given, family, number) if random.random() < 0.2 else None,
        holds_scholarship=random.random() < 0.2,
        regime=random.choice(("EXTERNE LIBRE", "DEMI-PENSIONNAIRE DANS L'ETABLISSEMENT")),
    )


def _staff(random: Random, number: int, pupils: int, plan: Plan) -> Iterator[Member]:
    count = max(4, round(pupils / 10))
    functions = ["DIR", "DOC", "EDU", *(["ADF"] * round(count * 0.25))]
    functions += ["ENS"] * (count - len(functions))
    codes = [code for _, divisions in plan for code in divisions]
    for index, function in enumerate(functions):
        teaches = index >= round(count * 0.62)
        family, given = people.family_name(random), people.given_name(random)
        local = number * (pupils + 100) + index
        subject = random.randrange(len(SUBJECTS))
        taught = random.sample(codes, min(len(codes), random.randint(3, 8))) if teaches else []
        yield Member(
            id=str(400_000_000 + local),
            family=family,
            given=given,
            title=random.choice(("Mme", "M.")),
            birth=people.day_between(random, date(1962, 1, 1), date(2001, 12, 31)),
            email=people.email(given, family, local),
            function=function,
            divisions=tuple((code, subject) for code in taught),
            groups=tuple((f"{code}GP1", subject) for code in taught[:3]),
        )
