"""The state of a partition without a disk: what the store must behave like, what stages are tested and measured on."""

from collections.abc import Iterator, Mapping, Sequence

from services.runtime.state import State


class MemoryState(State):
    """Bytes by key in a dictionary."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        return self._values.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        return [self._values.get(key) for key in keys]

    def scan(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        keys = sorted(key for key in self._values if key.startswith(prefix) and (after is None or key > after))
        yield from ((key, self._values[key]) for key in keys)

    def apply(self, changes: Mapping[bytes, bytes | None]) -> None:
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value
