"""The last values of a compacted topic's keys: on disk once they are many."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from ops.scratch import Scratch


class Entry(NamedTuple):
    """The last value of a key, and when it was written."""

    value: bytes
    written_at: datetime


class Kept(Scratch, Mapping[bytes, Entry]):
    """By key; what is taken later takes the place of what was there."""

    def __init__(self) -> None:
        super().__init__(
            "CREATE TABLE entries (key BLOB PRIMARY KEY, value BLOB NOT NULL, at_ms INT NOT NULL) WITHOUT ROWID;"
        )

    def take(self, key: bytes, value: bytes | None, at_ms: int) -> None:
        if value is None:
            self._database.execute("DELETE FROM entries WHERE key = ?", (key,))
        else:
            self._database.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (key, value, at_ms))

    def __getitem__(self, key: bytes) -> Entry:
        row = self._database.execute("SELECT value, at_ms FROM entries WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError  # without the key, which may name somebody
        return Entry(row[0], datetime.fromtimestamp(row[1] / 1000, UTC))

    def __iter__(self) -> Iterator[bytes]:
        for (key,) in self._database.execute("SELECT key FROM entries"):
            yield key

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM entries").fetchone()
        return int(count)
