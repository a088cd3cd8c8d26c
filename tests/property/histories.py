"""Small histories of one pupil: images, patches, deletes of two sources, and what child and guardian decide."""

from hypothesis import strategies as st

from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.topology import CHANGES, CONSENTS
from tests.replay.invented import INE, MAIA, bytes_of, consent, delete, joins, patch

LEVELS = ("6EME", "5EME", "4EME", "3EME")
SOURCES = ("aaf-d98", "aaf-d99")
Fact = Change | ConsentDecision
Message = tuple[str, bytes, bytes]


def change(kind: int, number: int, level: str, source: str) -> Change:
    version = f"20260901.1.{number:09d}"
    match kind:
        case 0:
            made = joins(version=version, attributes={"level": level, "ine": INE})
        case 1:
            made = patch(version, level=level)
        case _:
            made = delete(version)
    return made.model_copy(update={"source": source})


def decision(party: str, status: str, minute: int) -> ConsentDecision:
    return consent(party, status, f"2026-09-04T10:{minute:02d}:00+02:00")


@st.composite
def changes(draw: st.DrawFn) -> list[Change]:
    """Every version once: an export numbers what it says."""
    kinds = draw(st.lists(st.sampled_from((0, 0, 0, 1, 1, 2)), min_size=1, max_size=6))
    return [
        change(kind, number, draw(st.sampled_from(LEVELS)), draw(st.sampled_from(SOURCES)))
        for number, kind in enumerate(kinds, start=1)
    ]


@st.composite
def decisions(draw: st.DrawFn) -> list[ConsentDecision]:
    guardian = [f"guardian:{source}:999-2001" for source in SOURCES]
    parties = draw(st.lists(st.sampled_from(("child", "child", *guardian)), max_size=5))
    statuses = ("given", "given", "refused", "withdrawn")
    return [decision(party, draw(st.sampled_from(statuses)), minute) for minute, party in enumerate(parties)]


histories: st.SearchStrategy[list[Fact]] = st.tuples(changes(), decisions()).map(lambda both: [*both[0], *both[1]])


def message(fact: Fact) -> Message:
    return (CHANGES if isinstance(fact, Change) else CONSENTS), MAIA, bytes_of(fact)
