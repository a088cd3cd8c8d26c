"""The filter's emissions and what became of each, step by step: the reference model that providers are held against.

Opens nothing. Folded from the topics alone, pair by pair, by `seq`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pydantic import TypeAdapter

from ops.demo.readout import ReadOut, Row
from services.contract.heartbeats import Heartbeat
from services.contract.operations import Delete, ProviderRecord, ProviderRestriction, Restrict, Upsert
from services.contract.outcomes import Outcome
from services.contract.releases import Release, Restriction, Withdrawal
from services.contract.topology import (
    LEDGER,
    PROVIDER_DIRECTORY,
    RELEASES,
    WITHDRAWALS,
    named_for,
)

Step = tuple[int, str, int]
"""The filter's partition, `<provider>/<contract>` and seq: what one emission and its operation alone share."""

Sent = Release | Withdrawal | Restriction
Due = Upsert | Delete | Restrict

Known = Mapping[str, ProviderRecord | ProviderRestriction]
"""What one provider has, by pseudonym."""

_OUTCOMES: TypeAdapter[Outcome] = TypeAdapter(Outcome)


@dataclass(frozen=True)
class Chain:
    """Emissions and operations side by side."""

    read: ReadOut

    @cached_property
    def emissions(self) -> Sequence[tuple[Row, str, Sent]]:
        """Each with its row and its topic."""
        return [
            (row, topic, emission)
            for topic, other in ((RELEASES, Release), (WITHDRAWALS, Heartbeat))
            for row, emission in self.read.parsed(topic, Withdrawal, Restriction, other)
            if isinstance(emission, Sent)
        ]

    @cached_property
    def operations(self) -> Mapping[Step, Sequence[Due]]:
        found: defaultdict[Step, list[Due]] = defaultdict(list)
        for provider in sorted(self.read.policies):
            normal, express = self.read.of_provider(provider)
            for topic, other in ((normal, Upsert), (express, Heartbeat)):
                for row, operation in self.read.parsed(topic, Delete, Restrict, other):
                    if isinstance(operation, Due):
                        found[self._step_of(row, operation)].append(operation)
        return found

    def _step_of(self, row: Row, operation: Due) -> Step:
        """Of the partition that named the person, which is that of the emission."""
        pair = pair_of(operation)
        return self.read.named.get(f"{pair}/{operation.pseudonym}", row.partition), pair, operation.seq

    @cached_property
    def last(self) -> Mapping[tuple[str, str], Due]:
        """Pair and subject → the operation of the highest `seq`: what the provider should have come to."""
        latest: dict[tuple[str, str], Due] = {}
        for row, _, emission in self.emissions:
            who = (pair_of(emission), emission.subject)
            for operation in self.operations.get(step_of(row, emission), ()):
                if who not in latest or operation.seq > latest[who].seq:
                    latest[who] = operation
        return latest

    @cached_property
    def outcomes(self) -> Mapping[str, Outcome]:
        """The ledger's last word by `<provider>/<contract>/<pseudonym>`; `/~` is the connectors' own bookkeeping."""
        latest: dict[str, Outcome] = {}
        for row in self.read.rows(LEDGER):
            key = (row.key or b"").decode("utf-8", "replace")
            if "/~" in key:
                continue
            latest.pop(key, None)
            if row.value is not None:
                try:
                    latest[key] = _OUTCOMES.validate_json(row.value)
                except ValueError:
                    self.read.unreadable[LEDGER] += 1
        return latest

    def known(self, provider: str) -> Known:
        """What the provider's topic says once it is compacted."""
        topic = named_for(PROVIDER_DIRECTORY, provider)
        latest = {row.key: row for row in self.read.rows(topic)}
        rows = {id(row) for row in latest.values()}
        return {
            (row.key or b"").decode("utf-8", "replace"): record
            for row, record in self.read.parsed(topic, ProviderRecord, ProviderRestriction)
            if id(row) in rows and isinstance(record, ProviderRecord | ProviderRestriction)
        }


def pair_of(payload: Sent | Due) -> str:
    return f"{payload.provider}/{payload.contract}"


def step_of(row: Row, emission: Sent) -> Step:
    return row.partition, pair_of(emission), emission.seq
