"""Who says what in the demonstration: which families answer, whom we follow, who leaves. Pure: the clock is given.

The people are those of ops.synthesis, invented again from the same seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ops.synthesis.night import invent_night
from ops.synthesis.people import Guardian, Pupil
from ops.synthesis.school import School, invent_school
from services.contract.consents import ConsentDecision, ConsentStatus

SOURCE = "ac-99"
"""What the invented exports say of themselves."""
PROOF = "demonstration: signed form"

Answer = Literal["both", "child", "opposed", "none"]

_ANSWERS: tuple[Answer, ...] = ("both", "both", "child", "both", "opposed", "none", "both", "child", "both", "none")
"""By the pupil's place on the list, ten by ten."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the families were asked: one provider's purpose, under one notice."""

    provider: str
    purpose: str
    notice: str | None


@dataclass(frozen=True, slots=True)
class Scenario:
    """The cast. `followed` is shown before and after, and her guardian changes her mind; `leaver` moves away."""

    schools: tuple[School, ...]
    asked: tuple[Asked, ...]
    """The first is the one whose consent is withdrawn."""
    followed: Pupil
    changes_mind: Guardian
    leaver: Pupil

    @property
    def pupils(self) -> int:
        return sum(len(school.pupils) for school in self.schools)

    @property
    def guardians(self) -> int:
        return sum(len(school.guardians) for school in self.schools)

    @property
    def staff(self) -> int:
        return sum(len(school.staff) for school in self.schools)

    def answers(self, at: datetime) -> Iterator[ConsentDecision]:
        """What the families say at the start of the year, the same to everybody who asks."""
        for school in self.schools:
            for number, pupil in enumerate(school.pupils):
                for asked in self.asked:
                    yield from _answer(_ANSWERS[number % len(_ANSWERS)], pupil, asked, at)

    def withdrawal(self, at: datetime) -> ConsentDecision:
        return _decision(self.followed, guardian_party(self.changes_mind), "withdrawn", self.asked[0], at)


def guardian_party(guardian: Guardian) -> str:
    """The party as rules and consents name it: the guardian's routing key."""
    return f"guardian:{SOURCE}:{guardian.id}"


def _answer(answer: Answer, pupil: Pupil, asked: Asked, at: datetime) -> Iterator[ConsentDecision]:
    if answer == "none":
        return
    yield _decision(pupil, "child", "given", asked, at)
    if answer != "child":
        said: ConsentStatus = "given" if answer == "both" else "refused"
        yield _decision(pupil, guardian_party(_holder(pupil)), said, asked, at)


def _decision(pupil: Pupil, party: str, status: ConsentStatus, asked: Asked, at: datetime) -> ConsentDecision:
    return ConsentDecision(
        subject=pupil.ine, party=party, status=status, at=at,
        until=at + timedelta(days=365) if status == "given" else None,
        purpose=asked.purpose, provider=asked.provider, notice=asked.notice,
        proof=PROOF if status == "given" else None,
    )  # fmt: skip


def answer_of(pupil: Pupil, asked: Asked, status: ConsentStatus, at: datetime) -> ConsentDecision:
    """What the pupil's first guardian says now."""
    return _decision(pupil, guardian_party(_holder(pupil)), status, asked, at)


def _holder(pupil: Pupil) -> Guardian:
    """The first holder of parental authority: every invented pupil has one."""
    return next(guardian for guardian in pupil.guardians if guardian.legal == "1")


def stage(
    schools: int, pupils_per_school: int, seed: int, asked: tuple[Asked, ...], uais: frozenset[str] | None
) -> Scenario:
    """Cast two pupils, the youngest first, whose families agreed, in a school that subscribes, untouched by the night.

    `uais` are the schools under the contract, null for all; where none of these is, any school will do.
    """
    invented = tuple(invent_school(number, seed, pupils_per_school) for number in range(schools))
    subscribed = [school for school in invented if uais is None or school.uai in uais] or list(invented)
    agreed = [
        pupil
        for school in subscribed
        for number, pupil in enumerate(school.pupils)
        if _ANSWERS[number % len(_ANSWERS)] == "both" and pupil.ine not in _touched(school, seed)
    ]
    followed, leaver = sorted(agreed, key=lambda pupil: (pupil.birth, pupil.ine), reverse=True)[:2]
    return Scenario(invented, asked, followed, _holder(followed), leaver)


def _touched(school: School, seed: int) -> frozenset[str]:
    night = invent_night(school, seed)
    return frozenset(pupil.ine for pupil in (*night.leavers, *(pupil for pupil, _ in night.moves)))
