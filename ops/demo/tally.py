"""Counts of what happens, folded from the topics as records come; and when all that was published has arrived.

Opens nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import orjson

from ops.demo.readout import is_heartbeat
from services.contract.audit import AuditEntry, End, QuarantinedRecord, Stage
from services.contract.topology import (
    CHANGES,
    CONNECTORS_AUDIT,
    CONSENTS,
    FILTERING_AUDIT,
    LEDGER,
    LINKS,
    MOVES,
    PSEUDONYMISATION_AUDIT,
    RELEASES,
    UNLINKS,
    WITHDRAWALS,
)

_AUDIT_OF: Mapping[Stage, str] = {
    "filtering": FILTERING_AUDIT,
    "pseudonymisation": PSEUDONYMISATION_AUDIT,
    "connectors": CONNECTORS_AUDIT,
}
ALL = "-"
NO_INPUTS = frozenset({"sweep", "tick"})
TOLD_ITSELF = frozenset({LINKS, MOVES, UNLINKS})
"""What the filter reads of its own: no platform has published it."""
UNCHANGED = "unchanged"


@dataclass(slots=True)
class Tally:
    """What has been seen so far. `ends` is by provider: how each input ended for her contracts."""

    providers: tuple[str, ...]
    records: Counter[str] = field(default_factory=Counter)
    """Seen, by topic."""
    accounted: Counter[str] = field(default_factory=Counter)
    """Inputs that a stage's account speaks of, by audit topic."""
    linked: int = 0
    """Of the filter's own links, how many its account speaks of."""
    sent: Counter[str] = field(default_factory=Counter)
    """What a stage says it has passed on, by audit topic."""
    ends: dict[str, Counter[tuple[End, str]]] = field(default_factory=dict)
    holds: dict[str, dict[str, bool]] = field(default_factory=dict)
    """By provider, each pseudonym it was ever told of, and whether it still has it."""

    owed: dict[str, int] = field(default_factory=dict)
    """By the ledger's key, the highest seq of an operation that the ledger has not come to: it may wait its window."""
    entered: dict[str, int] = field(default_factory=dict)
    """By the ledger's key, the seq of its last word."""
    aside: Counter[Stage] = field(default_factory=Counter)
    """How many records a stage has put in quarantine."""
    _operations: Mapping[str, str] = field(default_factory=dict)
    """Topic → provider."""

    def __post_init__(self) -> None:
        self.ends = {provider: Counter() for provider in self.providers}
        self.holds = {provider: {} for provider in self.providers}
        self._operations = {topic: name for name in self.providers for topic in operations_of(name)}

    def take(self, topic: str, key: bytes | None, value: bytes | None) -> None:
        """Count one record; one that cannot be read is left to the verifier."""
        if topic.startswith("provisioning.withdrawals.") and is_heartbeat(key, value):
            return
        self.records[topic] += 1
        if topic in {FILTERING_AUDIT, PSEUDONYMISATION_AUDIT, CONNECTORS_AUDIT} and value is not None:
            try:
                entry = AuditEntry.model_validate_json(value)
            except ValueError:
                return
            self._account(topic, entry)
        elif topic.endswith(".quarantine") and value is not None:
            self._set_aside(value)
        elif topic == LEDGER or topic in self._operations:
            self._owe((key or b"").decode("utf-8", "replace"), value, topic)
        elif topic.startswith("providers."):
            provider = topic.removeprefix("providers.").removesuffix(".directory.v1")
            self.holds[provider][(key or b"").decode("utf-8", "replace")] = value is not None

    def _account(self, topic: str, entry: AuditEntry) -> None:
        published = entry.topic not in NO_INPUTS | TOLD_ITSELF
        if published:
            self.accounted[topic] += entry.records
        elif entry.topic in TOLD_ITSELF:
            self.linked += entry.records
        for contract, end, reason, count in each_end(entry):
            changed = end in {"released", "erased"} and reason != UNCHANGED
            if changed:
                self.sent[topic] += count
            if topic == FILTERING_AUDIT and (published or changed):
                providers = self.providers if contract == ALL else (contract.partition("/")[0],)
                for provider in providers:
                    self.ends.setdefault(provider, Counter())[end, reason] += count

    def _owe(self, key: str, value: bytes | None, topic: str) -> None:
        """An operation, or what came of one, in whichever order the topics are read."""
        try:
            said = orjson.loads(value or b"")
            pair = key if topic == LEDGER else f"{self._operations[topic]}/{said['contract']}/{key}"
            seqs, seq = (self.entered if topic == LEDGER else self.owed), int(said["seq"])
        except (ValueError, KeyError, TypeError):
            return
        seqs[pair] = max(seq, seqs.get(pair, 0))
        if self.entered.get(pair, 0) >= self.owed.get(pair, 0):
            self.owed.pop(pair, None)

    def _set_aside(self, value: bytes) -> None:
        """What failed unforeseen was rolled back with its account: its place in quarantine is all there is of it."""
        try:
            record = QuarantinedRecord.model_validate_json(value)
        except ValueError:
            return
        self.aside[record.stage] += 1
        if record.code == "unexpected":
            self.accounted[_AUDIT_OF[record.stage]] += 1

    @property
    def emissions(self) -> int:
        return self.records[RELEASES] + self.records[WITHDRAWALS]

    @property
    def operations(self) -> int:
        return sum(self.records[topic] for provider in self.providers for topic in operations_of(provider))

    @property
    def quarantined(self) -> int:
        return sum(count for topic, count in self.records.items() if topic.endswith(".quarantine"))

    def settled(self, published: Mapping[str, int]) -> bool:
        """Whether every published record has been accounted for by every stage it leads to, and no window is open.

        So have as many links as `published` says that there are.
        """
        return (
            self.accounted[FILTERING_AUDIT] >= published[CHANGES] + published[CONSENTS]
            and self.linked >= sum(published.get(topic, 0) for topic in TOLD_ITSELF)
            and self.emissions >= self.sent[FILTERING_AUDIT]
            and self.accounted[PSEUDONYMISATION_AUDIT] >= self.emissions
            and self.operations >= self.sent[PSEUDONYMISATION_AUDIT]
            and self.accounted[CONNECTORS_AUDIT] >= self.operations
            and len(self.owed) <= self.aside["connectors"]
        )

    def known(self, provider: str) -> int:
        return sum(self.holds[provider].values())


def operations_of(provider: str) -> tuple[str, str]:
    return f"provisioning.operations.{provider}.v1", f"provisioning.withdrawals.{provider}.v1"


def each_end(entry: AuditEntry) -> Iterator[tuple[str, End, str, int]]:
    """Contract, end, reason, and of how many inputs."""
    for contract, ends in entry.ends.items():
        for end, reasons in ends.items():
            for reason, ranges in reasons.items():
                yield contract, end, reason, sum(last - first + 1 for first, last in ranges)


@dataclass(frozen=True, slots=True)
class Ends:
    """How every input ended for one provider: together with the quarantine, the numbers add up to the inputs."""

    released: int
    unchanged: int
    withheld: Mapping[str, int]
    """By code."""
    held: int
    erased: int
    refused: int
    known: int
    """How many people it has now."""


def ends_of(tally: Tally, provider: str) -> Ends:
    by_end: Counter[End] = Counter()
    withheld: defaultdict[str, int] = defaultdict(int)
    unchanged = 0
    for (end, reason), count in tally.ends[provider].items():
        if reason == UNCHANGED and end in {"released", "erased"}:
            unchanged += count
        elif end == "withheld":
            withheld[reason.rpartition("/")[2]] += count
        else:
            by_end[end] += count
    ordered = dict(sorted(withheld.items(), key=lambda item: (-item[1], item[0])))
    return Ends(
        by_end["released"], unchanged, ordered, by_end["held"], by_end["erased"], by_end["refused"],
        tally.known(provider),
    )  # fmt: skip
