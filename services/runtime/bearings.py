"""From where each partition goes on, and where it stands between its fetch and its decision. Pure."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from faust.types import TP

from services.runtime.records import Batch

BUFFERED = 3
"""Batches of one partition that wait to be decided; more would only be memory."""


class Positions(Protocol):
    """Who knows from where each partition goes on."""

    async def on_revocation(self) -> None:
        """All partitions are about to be divided anew, and may be somebody else's right after this."""

    async def on_assignment(self, assigned: set[TP], generation: int) -> None:
        """Close what is no longer ours and open the rest; each is sought to and resumed once it is ready.

        `generation` numbers the group's divisions: who was there for each has seen every number.
        """

    def next_offset(self, tp: TP) -> int | None:
        """The first offset that the state does not reflect; null where nothing was ever read."""


class Bearings:
    """Of all partitions of one consumer: sought, held, adrift, or fetched and waiting."""

    def __init__(self) -> None:
        self.seeks: dict[TP, int] = {}
        """How often each was sought or held: what was fetched under another count is void."""
        self.adrift: set[TP] = set()
        """Whose position a void fetch has moved: to be sought before they are fetched again."""
        self._held: dict[TP, object] = {}
        self._waiting: dict[TP, int] = {}
        self._taken: dict[TP, int] = {}

    def void(self, tp: TP) -> None:
        """Count nothing that was fetched of it before."""
        self.seeks[tp] = self.seeks.get(tp, 0) + 1
        self._waiting[tp] = 0

    def hold(self, tps: Iterable[TP]) -> None:
        for tp in tps:
            self._held[tp] = object()
            self.void(tp)

    def holds(self, tps: Iterable[TP]) -> Mapping[TP, object | None]:
        """What holds each of these now, for `let_go`."""
        return {tp: self._held.get(tp) for tp in tps}

    def let_go(self, holds: Mapping[TP, object | None]) -> set[TP]:
        """Let those go that are held by the same still; which they are."""
        ready = {tp for tp, hold in holds.items() if self._held.get(tp) is hold}
        for tp in ready:
            self._held.pop(tp, None)
        return ready

    def forget_adrift(self) -> None:
        """Once they are sought; but who is held may have been sought before the fetch ended: it is sought again."""
        self.adrift = {tp for tp in self.adrift if tp in self._held}

    def is_current(self, batch: Batch) -> bool:
        """Whether no seek has come between the fetch of this batch and now."""
        return self.seeks.get(TP(batch.topic, batch.partition)) == batch.seek

    def take(self, tps: Iterable[TP], number: int | None = None) -> None:
        """Something was fetched of these, by the fetch of that number."""
        for tp in tps:
            self._waiting[tp] = self._waiting.get(tp, 0) + 1
            if number is not None:
                self._taken[tp] = number

    def release(self, batch: Batch) -> bool:
        """Make room for another batch of its partition; false where it was void already."""
        if current := self.is_current(batch):
            self._waiting[TP(batch.topic, batch.partition)] -= 1
        return current

    def full(self) -> set[TP]:
        return {tp for tp, waiting in self._waiting.items() if waiting >= BUFFERED}

    def taken_until(self, tp: TP) -> int | None:
        """The last fetch that had records of it; null while any of them waits, or it is to be sought."""
        if self._waiting.get(tp) or tp in self._held or tp in self.adrift:
            return None
        return self._taken.get(tp, 0)
