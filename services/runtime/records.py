"""A record as it came from Kafka, and an ordered batch of them from one partition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from services.contract.envelope import Header


class Record(Protocol):
    """One record, as it is fetched."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[Header]: ...


class FetchedRecord(NamedTuple):
    """One record; the client's own class takes four times as long to make, for parts that nobody asks for."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()


@dataclass(frozen=True, slots=True)
class UnreadableRecord:
    """Stands for a record that the client itself cannot decode: only where it lies is known."""

    topic: str
    partition: int
    offset: int
    timestamp: int = 0
    key: bytes | None = None
    value: bytes | None = None
    headers: Sequence[Header] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive records of one partition, as fetched; `seek` counts the seeks of that partition before it."""

    topic: str
    partition: int
    seek: int
    records: Sequence[Record]


class CaughtUp(NamedTuple):
    """When (ms) the broker last said where a partition ends, and where: nothing of it waits."""

    at_ms: int
    end: int


def undecided(batches: Sequence[Batch], start: int) -> list[Record]:
    """Their records from `start` on, each once, should they overlap."""
    records: list[Record] = []
    for batch in batches:
        whole = batch.records[0].offset >= start  # as nearly every one is
        records += batch.records if whole else [record for record in batch.records if record.offset >= start]
        start = max(start, batch.records[-1].offset + 1)
    return records
