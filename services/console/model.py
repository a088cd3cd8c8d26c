"""Everything the page shows, in memory, and what of it is not on disk yet. One thread, no input or output."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from services.console.accounts import Entry, SetAside
from services.console.counts import (
    HOUR,
    HOURS_KEPT,
    MINUTE,
    MINUTES_KEPT,
    Cell,
    Counts,
    Pace,
    cells_of,
    paces_of,
)  # fmt: skip
from services.console.watching import Place, Position, Watching
from services.console.withdrawals import Flight, follow

TREND_SECONDS: Final = 10.0


class Model:
    """What was heard; `providers` are the policies' own ids, each with its name and contracts."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.watching = Watching()
        self.flight = Flight()
        self.providers: Mapping[str, str] = {}
        self.refused = 0
        """Accounts that could not be read."""
        self.looked: float | None = None
        """When the ends of topics were last seen; null before."""
        self._cells: Counter[Cell] = Counter()
        self._paces: Counter[Pace] = Counter()
        self._traced = 0.0

    def restore(
        self, cells: Mapping[Cell, int], paces: Mapping[Pace, int],
        positions: Mapping[Place, Position], flight: Flight, now: float,
    ) -> None:  # fmt: skip
        """Begin where the last process ended."""
        self.counts = Counts().plus(cells, paces, now)
        self.watching = Watching(positions)
        self.flight = flight

    def hear(self, entries: Sequence[Entry], aside: Sequence[SetAside], now: float) -> None:
        cells, paces = cells_of(entries, aside), paces_of(entries)
        self.counts = self.counts.plus(cells, paces, now)
        self.watching = self.watching.heard(entries)
        self.flight = follow(self.flight, entries)
        self._cells.update(cells)
        self._paces.update(paces)

    def look(self, ends: Mapping[Place, tuple[int, int]], now: float) -> None:
        self.watching = self.watching.looked(ends, now)
        self.looked = now
        if now - self._traced >= TREND_SECONDS:
            self._traced = now
            by_topic = self.watching.by_topic(now)
            self.watching = self.watching.traced(
                {name: max((by_topic[topic].seconds for topic in by_topic if f".{name}." in topic), default=0.0)
                 for name in self.providers}
            )  # fmt: skip

    def take_unwritten(self) -> tuple[Counter[Cell], Counter[Pace]]:
        """What was counted since the last time this was asked."""
        cells, paces = self._cells, self._paces
        self._cells, self._paces = Counter(), Counter()
        return cells, paces


def kept_since(now: float) -> tuple[int, int]:
    """The first hour and minute that memory keeps."""
    return int(now) // HOUR - HOURS_KEPT + 1, int(now) // MINUTE - MINUTES_KEPT + 1
