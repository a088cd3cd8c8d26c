"""Everything a batch leads to, gathered before any of it becomes durable; then all of it or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from services.contract.audit import Account, QuarantinedRecord, Stage
from services.contract.envelope import Header, binary
from services.contract.topology import quarantine_of
from services.runtime import journal
from services.runtime.records import Record
from services.runtime.state import PartitionState


@dataclass(frozen=True, slots=True)
class Savepoint:
    """How far an outbox had come."""

    outputs: int
    quarantined: int
    changes: Mapping[bytes, bytes | None]


@dataclass(frozen=True, slots=True)
class Output:
    """One record to write; without a partition, the default partitioner's choice for its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None
    headers: Sequence[Header]
    timestamp_ms: int | None


class Outbox:
    """Outputs and state changes of one batch; reads see the batch's own writes."""

    def __init__(self, stage: Stage, partition: int, state: PartitionState, now_us: int) -> None:
        self.stage = stage
        self.partition = partition
        self.now_us = now_us
        self.outputs: list[Output] = []
        self.changes: dict[bytes, bytes | None] = {}
        self.quarantined: list[tuple[Record, str]] = []
        """Records put aside, and the code of each: to be said once they durably are."""
        self._state = state

    @property
    def now(self) -> datetime:
        """When this batch is decided: one instant for all of it."""
        return datetime.fromtimestamp(self.now_us / 1_000_000, UTC)

    def get(self, key: bytes) -> bytes | None:
        return self.changes[key] if key in self.changes else self._state.get(key)

    def load(self, keys: Iterable[bytes]) -> None:
        """Fetch what will be asked for, at once; the state is in memory, so there is nothing to fetch."""

    def scan(self, prefix: bytes, limit: int) -> list[tuple[bytes, bytes]]:
        """The first entries under a prefix, in key order, with this batch's own changes."""
        changed = {key: value for key, value in self.changes.items() if key.startswith(prefix)}
        kept = islice((entry for entry in self._state.scan(prefix, None) if entry[0] not in changed), limit)
        return sorted([*kept, *((key, value) for key, value in changed.items() if value is not None)])[:limit]

    def put(self, key: bytes, value: bytes | None) -> None:
        self.changes[key] = value

    def send(  # noqa: PLR0913  # a record has that many parts
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = (), *,
        spread: bool = False, timestamp_ms: int | None = None,
    ) -> None:  # fmt: skip
        """Write to the partition that is read, or with `spread` to the one that the key's hash chooses."""
        self.outputs.append(Output(topic, key, value, None if spread else self.partition, headers, timestamp_ms))

    def quarantine(self, record: Record, code: str, detail: str) -> None:
        """Put the coordinates of an unusable record aside, and why; never its content."""
        aside = QuarantinedRecord(
            topic=record.topic, partition=record.partition, offset=record.offset, timestamp_ms=record.timestamp,
            stage=self.stage, code=code, detail=detail, size=len(record.value or b""), at=self.now,
        )  # fmt: skip
        event_id = f"{record.topic}/{record.partition}/{record.offset}"
        self.send(
            quarantine_of(record.topic), None, aside.model_dump_json().encode(),
            binary(self.stage, "quarantined-record", event_id),
        )  # fmt: skip
        self.quarantined.append((record, code))

    def announce(self) -> None:
        """Say what was put aside; after the commit, for a batch that is tried again would say it at every attempt."""
        for record, code in self.quarantined:
            journal.emit(journal.QUARANTINED, stage=self.stage, topic=record.topic, partition=record.partition,
                         offset=record.offset, code=code)  # fmt: skip

    def report(self, topic: str, account: Account, span: tuple[int, int], policies: Mapping[str, int]) -> int:
        """Write the account of a batch that spans these offsets, first and last; its size in bytes."""
        entry = account.entry(span, self.now, policies)
        event_id = f"{entry.topic}/{self.partition}/{entry.first}@{self.now_us}"
        value = entry.model_dump_json().encode()
        self.send(topic, None, value, binary(self.stage, "audit-entry", event_id))
        return len(value)

    def savepoint(self) -> Savepoint:
        return Savepoint(len(self.outputs), len(self.quarantined), dict(self.changes))

    def rollback(self, savepoint: Savepoint) -> None:
        del self.outputs[savepoint.outputs :]
        del self.quarantined[savepoint.quarantined :]
        self.changes = dict(savepoint.changes)
