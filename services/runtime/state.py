"""What one stage remembers of one partition: bytes by key.

The stage sees keys of its own, which never begin with `~`; the runtime keeps beside them how far each input topic was
read, so that state and position can only move together.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol

OFFSET = b"~offset/"
SWEEP = b"~sweep"


class State(Protocol):
    """Committed state of one partition. Written by the runtime after a transaction has committed, and only then."""

    @abstractmethod
    def get(self, key: bytes) -> bytes | None: ...

    @abstractmethod
    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """A value for each key, in their order; cheaper than one by one."""

    @abstractmethod
    def scan(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Entries whose key begins with `prefix`, in key order, from the first key greater than `after`."""

    def next_offset(self, topic: str) -> int | None:
        """The first offset of `topic` that this state does not reflect; null before the first batch."""
        value = self.get(OFFSET + topic.encode())
        return None if value is None else int(value)
