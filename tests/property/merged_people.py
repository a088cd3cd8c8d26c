"""One person told of by three sources under three keys, two of which learn her INE late or never; and what she must be.

The reference knows no partition and no move: it looks at all that was ever said, once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hypothesis import strategies as st

from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from tests.replay.invented import INE, consent, contract_with, delete, joins, patch, policy

SOURCES: Mapping[str, tuple[str, str]] = {
    "aaf-d99:999-1001": ("aaf-d99", "999-1001"),
    "ent-d99:e-1": ("ent-d99", "e-1"),
    INE: ("aaf-d98", "998-7"),
}
"""Key → the one source that publishes under it, and its id."""
KEYS = tuple(SOURCES)
POLICIES = (
    policy(contracts=contract_with(fields=["level"], required=["level"], release_window_seconds=0)),
    policy("consent-service", contracts=contract_with("consent-service", fields=["level"])),
)
LEVELS = ("6EME", "5EME", "4EME", "3EME", "2DE")
OLD_ENOUGH = "2009-05-03"


class Told(NamedTuple):
    """One input and the key under which it comes."""

    key: str
    payload: Change | ConsentDecision


@dataclass(frozen=True)
class Person:
    """Who a provider must have: whether at all, and with which level."""

    level: str | None
    consents: bool


@st.composite
def _changes(draw: st.DrawFn) -> list[Told]:
    """Every version once. A source that has learnt the INE goes on saying it."""
    learnt = {INE}
    made = []
    steps = draw(st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from("uuuipd")), min_size=1, max_size=9))
    for number, (key, step) in enumerate(steps, start=1):
        version = f"20260901.1.{number:09d}"
        source, local = SOURCES[key]
        if step == "i":
            learnt.add(key)
        ine = INE if key in learnt else None
        level = draw(st.sampled_from(LEVELS))
        match step:
            case "p":
                change = patch(version, level=level)
            case "d":
                change = delete(version)
            case _:
                said: dict[str, Any] = {"level": level, "ine": ine, "birth_date": OLD_ENOUGH, "guardians": []}
                change = joins(version=version, attributes=said)
        made.append(Told(key, change.model_copy(update={"source": source, "id": local})))
    return made


@st.composite
def _decisions(draw: st.DrawFn) -> list[Told]:
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=5))
    statuses = ("given", "given", "refused", "withdrawn")
    return [
        Told(key, consent("child", draw(st.sampled_from(statuses)), f"2026-09-04T10:{minute:02d}:00+02:00",
                          subject=key))
        for minute, key in enumerate(keys)
    ]  # fmt: skip


@st.composite
def histories(draw: st.DrawFn) -> list[Told]:
    """In the order of each source; some of it is told twice."""
    told = [*draw(_changes()), *draw(_decisions())]
    again = draw(st.lists(st.sampled_from(told), max_size=3))
    return [*told, *again]


def people(told: Iterable[Told]) -> dict[frozenset[str], Person]:
    """Every person there is, by her keys, as she must be known in the end."""
    told = list(told)
    merged = frozenset(
        {INE} | {key for key, one in told if isinstance(one, Change) and one.kind == "upsert" and one.attributes.ine}
    )
    groups = [merged, *(frozenset({key}) for key in KEYS if key not in merged)]
    return {keys: _person([one for key, one in told if key in keys]) for keys in groups}


def _person(told: list[Change | ConsentDecision]) -> Person:
    words = sorted((one.at, one.status) for one in told if isinstance(one, ConsentDecision))
    shown = [
        image
        for source in {one.source for one in told if isinstance(one, Change)}
        if (image := _image([one for one in told if isinstance(one, Change) and one.source == source]))
    ]
    level = max(shown)[1] if shown else None
    return Person(level, bool(words) and words[-1][1] == "given")


def _image(changes: list[Change]) -> tuple[str, str] | None:
    """Version of the last image of one source, and the level that it says with what was said later; none once gone."""
    gone = max((one.version for one in changes if one.kind == "delete"), default="")
    image = max((one.version for one in changes if one.kind == "upsert"), default="")
    if image <= gone:
        return None
    levels = [(one.version, one.attributes.level) for one in changes if one.kind != "delete"]
    return image, max(levels)[1] or ""
