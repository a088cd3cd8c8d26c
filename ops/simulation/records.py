"""What the provider would read, kept on disk until all of it is there: it is given by pseudonym, as it leaves."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from ops.simulation.chain import Seen


class Records:
    """One record a pair; the order in which people came never shows."""

    def __init__(self, folder: Path) -> None:
        self._database = sqlite3.connect(folder / "records.sqlite", isolation_level=None)
        table = "CREATE TABLE records (pseudonym TEXT PRIMARY KEY, record BLOB NOT NULL) WITHOUT ROWID;"
        self._database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {table} BEGIN;")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()

    def add(self, seen: Seen) -> None:
        self._database.execute("INSERT OR REPLACE INTO records VALUES (?, ?)", seen)

    def __iter__(self) -> Iterator[Seen]:
        for pseudonym, record in self._database.execute("SELECT pseudonym, record FROM records ORDER BY pseudonym"):
            yield Seen(pseudonym, record)
