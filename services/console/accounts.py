"""One audit entry or quarantined record, as the console counts it. Pure; what is malformed is refused, not guessed."""

import re
from collections.abc import Mapping
from sys import intern
from types import MappingProxyType
from typing import Final, NamedTuple

from pydantic import ValidationError

from services.console.crossing import Schools
from services.contract.audit import AnySchool, AuditEntry, End, QuarantinedRecord, SchoolType, Stage
from services.contract.errors import NotThisSchema, TooLarge
from services.contract.reasons import Rule
from services.contract.topology import RELEASES, WITHDRAWALS

MAX_ENTRY_BYTES: Final = 1 << 20
ALL: Final = "-"
"""In the place of a contract: all of them at once."""
TICK: Final = "tick"
NO_INPUTS: Final = frozenset({"sweep", TICK})
"""In the place of a topic: what a stage did of itself."""

_PAIR = re.compile(r"-|[a-z0-9][a-z0-9.-]{0,62}/[A-Za-z0-9][A-Za-z0-9.-]{0,40}")
_REASON = re.compile(r"(R[0-9]{1,2}/)?[a-z0-9-]{1,60}")
_TOPIC = re.compile(r"[a-z0-9.-]{1,200}")


class Ended(NamedTuple):
    """So many inputs of a batch ended so, and so many of these at each type of school that is said."""

    contract: str
    end: End
    reason: str
    number: int
    schools: tuple[tuple[SchoolType, int], ...] = ()

    @property
    def provider(self) -> str:
        return self.contract.partition("/")[0]


Dropped = Mapping[str, Mapping[AnySchool, Mapping[Rule, Mapping[str, int]]]]
"""Contract → type of school → rule → field → how often the rule kept it inside of what was released."""


class Entry(NamedTuple):
    """One batch of one stage; `at` in seconds since 1970."""

    stage: Stage
    topic: str
    partition: int
    last: int
    records: int
    at: float
    ends: tuple[Ended, ...]
    dropped: Dropped = MappingProxyType({})
    applied_until: float | None = None
    caught_up: Mapping[str, int] = MappingProxyType({})
    """Topic → its end, of which nothing waited."""


class SetAside(NamedTuple):
    """One record in quarantine."""

    stage: Stage
    topic: str
    code: str
    at: float


def read_entry(raw: bytes) -> Entry:
    """Read one audit entry.

    Raises:
        Unreadable: too large, or not what a stage writes.
    """
    if len(raw) > MAX_ENTRY_BYTES:
        raise TooLarge(f"account: over {MAX_ENTRY_BYTES} bytes")
    try:
        said = AuditEntry.model_validate_json(raw)
    except ValidationError:
        raise NotThisSchema("account: not an audit entry") from None
    schools = Schools(said.schools, said.first, said.last)
    ends = tuple(
        Ended(
            intern(contract),
            end,
            intern(reason),
            sum(last - first + 1 for first, last in ranges),
            schools.among(ranges),
        )
        for contract, by_end in said.ends.items()
        for end, reasons in by_end.items()
        for reason, ranges in reasons.items()
    )
    if not _TOPIC.fullmatch(said.topic) or not all(
        _PAIR.fullmatch(one.contract) and _REASON.fullmatch(one.reason) and one.number > 0 for one in ends
    ):
        raise NotThisSchema("account: a contract, reason or range that is none")
    if not all(_PAIR.fullmatch(contract) for contract in said.dropped):
        raise NotThisSchema("account: a contract that is none")
    if not all(_TOPIC.fullmatch(topic) for topic in said.caught_up):
        raise NotThisSchema("account: a topic that is none")
    return Entry(
        said.stage, said.topic, said.partition, said.last, said.records, said.at.timestamp(), ends, said.dropped,
        None if said.applied_until is None else said.applied_until.timestamp(), said.caught_up,
    )  # fmt: skip


def read_aside(raw: bytes) -> SetAside:
    """Read one quarantined record; its detail is left where it is.

    Raises:
        Unreadable: too large, or not what a stage writes.
    """
    if len(raw) > MAX_ENTRY_BYTES:
        raise TooLarge(f"quarantine: over {MAX_ENTRY_BYTES} bytes")
    try:
        said = QuarantinedRecord.model_validate_json(raw)
    except ValidationError:
        raise NotThisSchema("quarantine: not a quarantined record") from None
    if not _TOPIC.fullmatch(said.topic) or not _REASON.fullmatch(said.code):
        raise NotThisSchema("quarantine: a topic or code that is none")
    return SetAside(said.stage, said.topic, said.code, said.at.timestamp())


def provider_of(topic: str) -> str | None:
    """Whose topic this is; null for one that all share."""
    if topic in {RELEASES, WITHDRAWALS}:
        return None
    found = re.fullmatch(r"(?:provisioning\.(?:operations|withdrawals)|providers)\.([a-z0-9][a-z0-9.-]*?)"
                         r"(?:\.directory)?\.v1", topic)  # fmt: skip
    return found[1] if found else None
