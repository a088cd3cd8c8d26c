"""What the console remembers over a restart, in one SQLite file: counts by hour and minute, and how far it has read.

Counts and offsets are written in one transaction, so that nothing is counted twice. Whoever loses the file loses
history and nothing else.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from sys import intern
from typing import Any, Final

import orjson

from services.console.counts import Cell, Pace
from services.console.watching import Position
from services.console.withdrawals import Acknowledged, Flight, Queue, Wave

HOURS_ON_DISK: Final = 14 * 24
MINUTES_ON_DISK: Final = 24 * 60

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS cells (
  hour INTEGER, stage TEXT, contract TEXT, ending TEXT, reason TEXT, school TEXT, count INTEGER,
  PRIMARY KEY (hour, stage, contract, ending, reason, school)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS paces (minute INTEGER, what TEXT, count INTEGER, PRIMARY KEY (minute, what)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS offsets (topic TEXT, part INTEGER, next INTEGER, PRIMARY KEY (topic, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS standing (name TEXT PRIMARY KEY, said BLOB) WITHOUT ROWID;
"""

_SET_APART: Final = "ALTER TABLE cells RENAME TO former;"
_TAKE_BACK: Final = """
INSERT INTO cells SELECT hour, stage, contract, ending, reason, '', count FROM former;
DROP TABLE former;
"""
_ADD_CELL: Final = """
INSERT INTO cells VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count
"""


class History:
    """The file, open. One thread uses it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=NORMAL")
        self._begin()

    def _begin(self) -> None:
        """Make what is not there; the counts of before schools were told are of none."""
        columns = [row[1] for row in self._database.execute("PRAGMA table_info(cells)")]
        if columns and "school" not in columns:
            self._database.executescript(f"BEGIN; {_SET_APART} {_TABLES} {_TAKE_BACK} COMMIT;")
        self._database.executescript(_TABLES)

    def close(self) -> None:
        self._database.close()

    def offsets(self) -> dict[tuple[str, int], int]:
        return {
            (topic, part): at for topic, part, at in self._database.execute("SELECT topic, part, next FROM offsets")
        }

    def cells(self, first_hour: int) -> dict[Cell, int]:
        rows = self._database.execute("SELECT hour, stage, contract, ending, reason, school, count FROM cells "
                                      "WHERE hour >= ?", (first_hour,))  # fmt: skip
        # A day of many providers: the texts are few, and each is kept once.
        return {Cell(row[0], *map(intern, row[1:6])): row[6] for row in rows}

    def paces(self, first_minute: int) -> dict[Pace, int]:
        rows = self._database.execute("SELECT minute, what, count FROM paces WHERE minute >= ?", (first_minute,))
        return {Pace(minute, what): count for minute, what, count in rows}

    def standing(self) -> tuple[dict[tuple[str, int], Position], Flight]:
        """Positions and withdrawals on their way, as of the last write."""
        said = {name: orjson.loads(raw) for name, raw in self._database.execute("SELECT name, said FROM standing")}
        positions = {(topic, part): Position(at, when) for topic, part, at, when in said.get("positions", ())}
        flight = said.get("flight")
        return positions, _flight_of(flight) if flight else Flight()

    def write(
        self, offsets: Mapping[tuple[str, int], int], cells: Mapping[Cell, int], paces: Mapping[Pace, int],
        positions: Mapping[tuple[str, int], Position], flight: Flight,
    ) -> None:  # fmt: skip
        """Add these counts, and say up to where they were read; all or nothing."""
        database = self._database
        database.execute("BEGIN IMMEDIATE")
        try:
            database.executemany(_ADD_CELL, ((*cell, count) for cell, count in cells.items()))
            database.executemany(
                "INSERT INTO paces VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count",
                ((*pace, count) for pace, count in paces.items()),
            )
            database.executemany("INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)",
                                 ((*place, at) for place, at in offsets.items()))  # fmt: skip
            said = {"positions": [(*place, *position) for place, position in positions.items()],
                    "flight": _said_of(flight)}  # fmt: skip
            database.executemany("INSERT OR REPLACE INTO standing VALUES (?, ?)",
                                 ((name, orjson.dumps(one, default=tuple)) for name, one in said.items()))  # fmt: skip
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise

    def forget(self, hour: int, minute: int) -> None:
        """Drop what is older than is kept."""
        self._database.execute("DELETE FROM cells WHERE hour < ?", (hour - HOURS_ON_DISK,))
        self._database.execute("DELETE FROM paces WHERE minute < ?", (minute - MINUTES_ON_DISK,))


def _said_of(flight: Flight) -> dict[str, Any]:
    def lanes(side: Mapping[tuple[str, int], Queue]) -> list[tuple[str, int, list[Wave], list[Wave], float]]:
        return [(name, part, list(queue.waves), list(queue.owed), queue.busy) for (name, part), queue in side.items()]

    return {"named": lanes(flight.to_be_named), "told": lanes(flight.to_be_told), "arrived": dict(flight.arrived)}


def _flight_of(said: Mapping[str, Any]) -> Flight:
    def waves(raw: Iterable[Any]) -> tuple[Wave, ...]:
        return tuple(Wave(*one) for one in raw)

    def lanes(raw: Iterable[Any]) -> dict[tuple[str, int], Queue]:
        return {(name, part): Queue(waves(kept), waves(owed), busy) for name, part, kept, owed, busy in raw}

    arrived = {name: tuple(Acknowledged(*one) for one in many) for name, many in said["arrived"].items()}
    return Flight(lanes(said["named"]), lanes(said["told"]), arrived)
