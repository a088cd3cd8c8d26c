"""A record as it came from Kafka, and an ordered batch of them from one partition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from services.contract.envelope import Header


class Record(Protocol):
    """One record; what aiokafka's fetcher yields already has this shape, so nothing is copied."""

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
