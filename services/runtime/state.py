"""What one stage remembers of one partition: bytes by key, rebuilt from a compacted changelog.

The stage sees keys of its own; the runtime keeps beside them how far each input topic was read, so that state and
position can only move together.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

OFFSET = b"~offset/"
SWEEP = b"~sweep"


class State(Protocol):
    def get(self, key: bytes) -> bytes | None: ...
    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]: ...
    def scan(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]: ...
    def apply(self, changes: Mapping[bytes, bytes | None]) -> None: ...
    def next_offset(self, topic: str) -> int | None: ...


class PartitionState:
    """Committed state of one partition. Written by the runtime after a transaction has committed, and only then."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self._values.get(key) for key in keys]

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value

    def scan(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        """Entries whose key begins with `prefix`, in key order, from the first key greater than `after`."""
        keys = sorted(key for key in self._values if key.startswith(prefix) and (after is None or key > after))
        for key in keys:
            yield key, self._values[key]

    def next_offset(self, topic: str) -> int | None:
        """The first offset of `topic` that this state does not reflect; null before the first batch."""
        value = self._values.get(OFFSET + topic.encode())
        return None if value is None else int(value)
