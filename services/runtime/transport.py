"""Faust's aiokafka transport, made to hand over one ordered batch a partition instead of one record at a time.

Membership, rebalances, agents and the worker stay Faust's. Positions are ours: they come from the stage's state,
never from the group's commits, and no record that was fetched across a seek is ever processed.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from services.runtime.bearings import Bearings, Positions
from services.runtime.fetching import NOTHING_FETCHED, Fetched, ReadCommittedThread
from services.runtime.records import Batch, CaughtUp, UnreadableRecord

LOOK_AGAIN_SECONDS = 0.01
"""How soon a partition that is no longer full is fetched from again."""


class _NoReadOffsets(dict[TP, None]):
    """In the place of Faust's read offsets, by which it drops records: it has none, and keeps none.

    Faust sets one after a batch was handed over, which may be after a seek back; what lies below would be lost.
    """

    def __missing__(self, tp: TP) -> None:
        return None

    def __setitem__(self, tp: TP, offset: int | None) -> None:
        """Keep nothing."""


class BatchingConsumer(driver.Consumer):
    """Yields a `Batch` a partition and fetch; takes no acknowledgement, for the state holds the position."""

    positions: ClassVar[Positions]
    _thread: ReadCommittedThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.bearings = Bearings()
        self._released = asyncio.Event()
        super().__init__(*args, **kwargs)
        self._read_offset = _NoReadOffsets()  # type: ignore[assignment]  # a mapping to nothing but null

    def _new_consumer_thread(self) -> ReadCommittedThread:
        return ReadCommittedThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        await super().on_partitions_revoked(revoked)
        await self.positions.on_revocation()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Nobody seeks when a worker is left without a partition: that it has none must be said here."""
        await super().on_partitions_assigned(assigned, generation_id)
        if not assigned:
            await self.positions.on_assignment(set(), generation_id)

    async def perform_seek(self) -> None:
        """Called by Faust once an assignment has settled, in the place of a seek to committed offsets."""
        await self.positions.on_assignment({TP(*tp) for tp in self.assignment()}, self.app.consumer_generation_id)

    def hold(self, tps: Iterable[TP]) -> None:
        """Fetch nothing of these until `go_on`, and void what was fetched of them before."""
        held = set(tps)
        self.pause_partitions(held)
        self.bearings.hold(held)

    async def go_on(self, tps: Iterable[TP]) -> None:
        """Fetch these from where their state ends; if they are being taken away, the next assignment sees to them."""
        holds = self.bearings.holds(sorted(set(tps) & {TP(*tp) for tp in self.assignment()}))
        # All of them before the first seek, during which they may be given up, and held again.
        offsets = {tp: self.positions.next_offset(tp) for tp in holds}
        with suppress(IllegalStateError):
            for tp, offset in offsets.items():
                await self._seek(tp, offset)
            self.resume_partitions(self.bearings.let_go(holds))

    def is_current(self, batch: Batch) -> bool:
        """Whether no seek has come between the fetch of this batch and now."""
        return self.bearings.is_current(batch)

    def release(self, batch: Batch) -> None:
        """Make room for another batch of that partition."""
        if self.bearings.release(batch):
            self._released.set()

    async def ends(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """Where these partitions end now."""
        return await self._thread.highwaters(*tps)

    def decided_until(self, tp: TP) -> CaughtUp | None:
        """Until when all that Kafka had accepted is decided; null while some of it waits, or that is unknown."""
        taken = self.bearings.taken_until(tp)
        return None if taken is None else self._thread.caught_up(tp, taken)

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        """Fetch of those that have room: express lanes have room of their own, whatever the others' backlog."""
        full = self.bearings.full()
        open_ = set(active_partitions) - full
        if not open_:
            self._released.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._released.wait(), timeout)
            return NOTHING_FETCHED
        return await super()._getmany(open_, LOOK_AGAIN_SECONDS if full else timeout)

    async def _seek(self, tp: TP, offset: int | None) -> None:
        if offset is None:
            await self._thread.seek_to_beginning(driver.ensure_aiokafka_TP(tp))
        else:
            await self._thread.seek_wait({tp: offset})
        # Counted after the seek: a fetch that began before it may hold either side's records, and is void.
        self.bearings.void(tp)

    async def _take_bearings(self) -> None:
        """Seek what came adrift. Only while no fetch is under way, so that no seek is overtaken by an older answer."""
        for tp in self.bearings.adrift & {TP(*tp) for tp in self.assignment()} & self._get_active_partitions():
            with suppress(IllegalStateError, KeyError):  # taken away or given up: the next assignment sees to it
                await self._seek(tp, self.positions.next_offset(tp))
        self.bearings.forget_adrift()

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch, and yield one message a partition, whose value is the batch."""
        await self._take_bearings()
        seeks = dict(self.bearings.seeks)
        try:
            waited: Any = await self._wait_next_records(timeout)
        except UnicodeDecodeError:
            if (stand_in := await self._close_in(seeks)) is not None:
                yield stand_in
            return
        fetched: Fetched = waited[0] or NOTHING_FETCHED
        if self.should_stop:
            return
        # All of it before any is handed on, which takes its time.
        self.bearings.take(fetched.records, fetched.number)
        for tp, records in fetched.records.items():
            if not self.flow_active or tp not in seeks or self.bearings.seeks.get(tp) != seeks[tp]:
                self.bearings.adrift.add(tp)
                continue
            yield tp, self._batch_message(tp, records, seeks[tp])

    async def _close_in(self, seeks: Mapping[TP, int]) -> tuple[TP, ConsumerMessage] | None:
        """Close in on a record that the client cannot decode: a header name that is no UTF-8.

        The client raises, and forgets what it had read before it: read again from the state, half as much each time.
        Once it comes alone, it is passed over, and a stand-in goes on in its place.
        """
        if self._thread.limit != 1:
            self._thread.limit = max(1, (self._thread.limit or self.app.conf.broker_max_poll_records) // 2)
            self.bearings.adrift |= {TP(*tp) for tp in self.assignment()}
            return None
        self._thread.limit = None
        tp, offset = self._thread.unreadable()
        # Not counted as a seek: what was handed over before it is still to be decided, and comes first.
        await self._thread.seek_wait({tp: offset + 1})
        if tp not in seeks or self.bearings.seeks.get(tp) != seeks[tp]:
            self.bearings.adrift.add(tp)
            return None
        record = UnreadableRecord(tp.topic, tp.partition, offset)
        self.bearings.take([tp])
        return tp, self._batch_message(tp, [record], seeks[tp])

    def _batch_message(self, tp: TP, records: Sequence[Any], seek: int) -> ConsumerMessage:
        last = records[-1]
        batch: Any = Batch(tp.topic, tp.partition, seek, records)
        return ConsumerMessage(
            tp.topic, tp.partition, last.offset, 0.0, 0, [], None, batch, None,
            tp=tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Look at nothing: our watchdog does, and Faust's look fails where a position is not known yet."""

    def ack(self, message: Any) -> bool:  # noqa: ARG002
        """Acknowledge nothing: Faust acks what its streams skip, and what an agent failed on."""
        return False


def transport_for(positions: Positions) -> type[driver.Transport]:
    """The transport class of one app, bound to the one who knows its positions."""

    class BoundConsumer(BatchingConsumer):
        pass

    BoundConsumer.positions = positions

    class BatchingTransport(driver.Transport):
        Consumer = BoundConsumer

    return BatchingTransport
