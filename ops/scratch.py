"""What memory would not hold, on disk for as long as whoever asks: nobody else opens it, and nothing is left of it."""

import sqlite3
import weakref


class Scratch:
    """A database of these tables; it spares the disk while it is small, and goes with the object."""

    def __init__(self, tables: str) -> None:
        # Without a name it is a file that has none, and what is lost with the process need not be written twice.
        self._database = sqlite3.connect("", isolation_level=None)
        weakref.finalize(self, self._database.close)
        self._database.executescript(f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; {tables} BEGIN;")
