"""Everything a batch leads to, gathered before any of it becomes durable; then all of it or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from services.contract.account import Account
from services.contract.audit import AuditEntry, QuarantinedRecord, Stage
from services.contract.envelope import Header, binary
from services.contract.topology import quarantine_of
from services.runtime import journal, metrics
from services.runtime.records import Record
from services.runtime.state import State

MAX_RECORD_BYTES: Final = 900 * 1024
"""What Kafka takes by default, less what a batch and its headers add."""

NOTHING: Final[Mapping[bytes, bytes | None]] = {}


class OutputTooLarge(Exception):
    """A record that Kafka would refuse: its input is put aside, with this reason."""

    code: Final = "too-large"

    def __init__(self) -> None:
        super().__init__(f"output: over {MAX_RECORD_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class Savepoint:
    """How far an outbox had come."""

    outputs: int
    quarantined: int
    entries: int
    undo: int


SPREAD: Final = -1
"""In the place of a partition: any one, the same for the same key."""
BY_SUBJECT: Final = -2
"""In the place of a partition: the one in which all that platforms say of the key's subject arrives."""


class Output:
    """One record to write: to a partition, or to one that its key chooses (`SPREAD`, `BY_SUBJECT`)."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts of a record
        self, topic: str, key: bytes | None, value: bytes | None, partition: int, headers: Sequence[Header],
        timestamp_ms: int | None,
    ) -> None:  # fmt: skip
        self.topic, self.key, self.value, self.partition = topic, key, value, partition
        self.headers, self.timestamp_ms = headers, timestamp_ms


class Reached(NamedTuple):
    """How far the lanes of a partition are decided."""

    until_us: Mapping[str, int] = {}
    """Topic → until when all that Kafka had accepted is decided; nothing for a topic of which some waits."""
    backlog: frozenset[str] = frozenset()
    """Topics that are not decided up to where they ended when the partition was opened."""
    ends: Mapping[str, int] = {}
    """Topic → where it ends, with the marks of transactions, of those of which nothing waits."""


UNKNOWN_REACH: Final = Reached()


class Outbox:
    """Outputs and state changes of one transaction; reads see its own writes.

    `pending` are the changes of the transaction before, which is being committed while this one is decided.
    """

    def __init__(  # noqa: PLR0913, PLR0917  # what a batch is decided in
        self, stage: Stage, partition: int, state: State, now_us: int,
        pending: Mapping[bytes, bytes | None] = NOTHING, reached: Reached = UNKNOWN_REACH, partitions: int = 1,
    ) -> None:  # fmt: skip
        self.stage = stage
        self.partition = partition
        self.now_us = now_us
        self.outputs: list[Output] = []
        self.changes: dict[bytes, bytes | None] = {}
        self.quarantined: list[tuple[Record, str]] = []
        """Records put aside, and the code of each: to be said once they durably are."""
        self.entries: list[AuditEntry] = []
        """Accounts given, to be counted once they durably are."""
        self.reached = reached
        self.partitions = partitions
        """How many each topic has that is keyed by a subject or a pseudonym."""
        self._state = state
        self._pending = pending
        self._undo: list[tuple[bytes, tuple[bytes | None] | None]] = []
        """Every key that was written, in order, and what was written there before it in this transaction, if anything:
        a savepoint then costs nothing, and a rollback what it undoes."""
        self._loaded: dict[bytes, bytes | None] = {}

    @property
    def now(self) -> datetime:
        """When this batch is decided: one instant for all of it."""
        return datetime.fromtimestamp(self.now_us / 1_000_000, UTC)

    @property
    def size(self) -> int:
        """Records that it will take to write it all."""
        return len(self.outputs) + len(self.changes)

    def go_on(self, now_us: int, reached: Reached) -> None:
        """Take another step in: from here on, it is later."""
        self.now_us, self.reached = now_us, reached

    def load(self, keys: Iterable[bytes]) -> None:
        """Read these at once, so that each `get` of them costs nothing."""
        unknown = [key for key in dict.fromkeys(keys) if key not in self._pending and key not in self._loaded]
        self._loaded.update(zip(unknown, self._state.get_many(unknown), strict=True))

    def get(self, key: bytes) -> bytes | None:
        # One after another, not in a loop: it is asked twice a record.
        if key in self.changes:
            return self.changes[key]
        if key in self._pending:
            return self._pending[key]
        return self._loaded[key] if key in self._loaded else self._state.get(key)

    def put(self, key: bytes, value: bytes | None) -> None:
        if value is not None and len(value) > MAX_RECORD_BYTES:
            raise OutputTooLarge
        self._undo.append((key, (self.changes[key],) if key in self.changes else None))
        self.changes[key] = value

    def scan(self, prefix: bytes, limit: int, after: bytes | None = None) -> list[tuple[bytes, bytes]]:
        """The first entries in key order, after this key, that begin with `prefix`; the batch's own changes too."""
        own = {
            key: value
            for changes in (self._pending, self.changes)
            for key, value in changes.items()
            if key.startswith(prefix) and key > (after or b"")
        }
        found = [(key, value) for key, value in own.items() if value is not None]
        most = len(found) + limit
        for entry in self._state.scan(prefix, after):
            if len(found) == most:
                break
            if entry[0] not in own:
                found.append(entry)
        return sorted(found)[:limit]

    def send(  # noqa: PLR0913  # a record has that many parts
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = (), *,
        spread: bool = False, timestamp_ms: int | None = None,
    ) -> None:  # fmt: skip
        """Write to the partition that is read, or with `spread` to the one that the key chooses.

        Raises:
            OutputTooLarge: nothing of this record may then be kept; the loop rolls it back and puts it aside.
        """
        if value is not None and len(value) > MAX_RECORD_BYTES:
            raise OutputTooLarge
        self.outputs.append(Output(topic, key, value, SPREAD if spread else self.partition, headers, timestamp_ms))

    def send_to(self, subject: bytes, topic: str, value: bytes, headers: Sequence[Header]) -> None:
        """Write to the partition in which this subject is remembered, by whichever worker; the subject is the key."""
        self.outputs.append(Output(topic, subject, value, BY_SUBJECT, headers, None))

    def send_everywhere(self, topic: str, value: bytes, headers: Sequence[Header]) -> None:
        """Write to every partition, in each behind what this outbox has sent there before."""
        self.outputs.extend(Output(topic, None, value, number, headers, None) for number in range(self.partitions))

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
        """Say what was put aside, and count the ends; after the commit, for a batch may be tried more than once."""
        for entry in self.entries:
            metrics.accounted(entry)
        for record, code in self.quarantined:
            metrics.quarantined(self.stage, record.topic, code)
            journal.emit(journal.QUARANTINED, stage=self.stage, topic=record.topic, partition=record.partition,
                         offset=record.offset, code=code)  # fmt: skip

    def report(
        self, topic: str, account: Account, span: tuple[int, int], policies: Mapping[str, int], part: str = ""
    ) -> int:
        """Write the account of a batch that spans these offsets, first and last; its size in bytes.

        `part` tells it from the others, where it is one of several.
        """
        entry = account.entry(span, self.now, policies)
        event_id = f"{entry.topic}/{self.partition}/{entry.first}{part}@{self.now_us}"
        value = entry.model_dump_json(exclude_unset=True).encode()
        if len(value) <= MAX_RECORD_BYTES:
            self.entries.append(entry)
            self.send(topic, None, value, binary(self.stage, "audit-entry", event_id))
        return len(value)

    def savepoint(self) -> Savepoint:
        return Savepoint(len(self.outputs), len(self.quarantined), len(self.entries), len(self._undo))

    def rollback(self, savepoint: Savepoint) -> None:
        del self.outputs[savepoint.outputs :]
        del self.quarantined[savepoint.quarantined :]
        del self.entries[savepoint.entries :]
        while len(self._undo) > savepoint.undo:
            key, before = self._undo.pop()
            if before is None:
                del self.changes[key]
            else:
                self.changes[key] = before[0]
