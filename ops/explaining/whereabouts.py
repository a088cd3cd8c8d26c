"""How far the last word on one pair has come: renamed, told, acknowledged, or still owed. Reads no topic itself."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import TypeAdapter

from ops.explaining.states import Entries
from services.connectors import freshness, ledger, waiting
from services.contract.outcomes import Outcome
from services.contract.reasons import STAGES
from services.filtering.subject import Pair
from services.pseudonymisation.emission import PARKED, SEQ

Stage = Literal["pseudonymisation", "connector", "ledger"]
Word = Literal["not-there", "behind", "taken", "refused", "waits", "told", "delivered", "deferred"]
"""`behind`: an older word of the pair is the last that came here."""

_OUTCOME: TypeAdapter[Outcome] = TypeAdapter(Outcome)


@dataclass(frozen=True, slots=True)
class StageLine:
    """What one stage has of the pair; `code` says why, where the stage gave a reason."""

    stage: Stage
    word: Word
    seq: int | None = None
    code: str | None = None
    at: datetime | None = None
    """When it was entered, or until when it waits."""
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The entries of one pair in each state, and in the ledger."""

    pseudonymisation: Entries
    connector: Entries
    ledger: Entries


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """All stages, and whether the provider is still owed the filter's last word."""

    stages: tuple[StageLine, ...]
    owed: bool
    consents_until: datetime | None
    """Up to when every consent is applied, as far as the connector knows; without a recent one it tells no upsert."""


def whereabouts(pair: str, pseudonym: str, fence: Pair, found: Found) -> Whereabouts:
    """The way of the last word, `fence`, on a pair `<provider>/<contract>`."""
    contract = pair.partition("/")[2]
    told = _ledger(f"{pair}/{pseudonym}".encode(), fence, found.ledger)
    stages = (
        _pseudonymisation(f"{pair}/{pseudonym}".encode(), fence, found.pseudonymisation),
        _connector(f"{contract}/{pseudonym}".encode(), fence, found.connector),
        told,
    )
    beats = [int(entry.value) for key, entry in found.connector.items() if key.startswith(freshness.HEARTBEAT)]
    until = datetime.fromtimestamp(min(beats) / 1_000_000, UTC) if beats else None
    return Whereabouts(stages, told.word not in {"delivered", "refused"}, until)


def _pseudonymisation(place: bytes, fence: Pair, entries: Entries) -> StageLine:
    last = entries.get(SEQ + place)
    if last is None:
        return StageLine("pseudonymisation", "not-there")
    seq = abs(int(last.value))
    if seq < fence.seq:
        return StageLine("pseudonymisation", "behind", seq, at=last.written_at)
    word: Word = "refused" if PARKED + place in entries else "taken"
    return StageLine("pseudonymisation", word, seq, at=last.written_at)


def _connector(place: bytes, fence: Pair, entries: Entries) -> StageLine:
    last = entries.get(ledger.STANDING + place)
    standing = ledger.load(last.value if last else None)
    if last is None or standing is None:
        return StageLine("connector", "not-there")
    if standing.seq < fence.seq:
        return StageLine("connector", "behind", standing.seq, at=last.written_at)
    if not standing.until:
        return StageLine("connector", "told", standing.seq, at=last.written_at)
    kept = entries.get(waiting.key_of(standing.until, place))
    why = waiting.load(kept.value).why if kept else None
    instant = int(standing.until) if standing.until.isdecimal() else 0
    return StageLine("connector", "waits", standing.seq, why, datetime.fromtimestamp(instant, UTC) if instant else None)


def _ledger(key: bytes, fence: Pair, entries: Entries) -> StageLine:
    last = entries.get(key)
    if last is None:
        return StageLine("ledger", "not-there")
    outcome = _OUTCOME.validate_json(last.value)
    word: Word = "behind" if outcome.seq < fence.seq else outcome.outcome
    return StageLine("ledger", word, outcome.seq, outcome.code, outcome.at, outcome.operation)


def sentence_of(code: str) -> tuple[str, str]:
    """What a stage's code means, and what to do."""
    meaning = {str(known): each for known, each in STAGES.items()}.get(code)
    return (meaning.sentence, meaning.action) if meaning else ("", "")
