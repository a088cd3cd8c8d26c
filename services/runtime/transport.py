"""Faust's aiokafka transport, made to hand over one ordered batch a partition instead of one record at a time.

Membership, rebalances, agents and the worker stay Faust's. Positions are ours: they come from the stage's state,
never from the group's commits, and no record that was fetched across a seek is ever processed.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Final, NamedTuple, Protocol

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import IllegalStateError
from faust.transport.drivers import aiokafka as driver
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread, server_list
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from services.contract.errors import Unreachable
from services.runtime.records import Batch, UnreadableRecord

FETCH_BYTES = 4 * 1024 * 1024
"""Of one partition: the client asks for more of it only once all of these are taken."""
BUFFERED = 3
"""Batches of one partition that wait to be decided; more would only be memory."""
LOOK_AGAIN_SECONDS = 0.01
"""How soon a partition that is no longer full is fetched from again."""

NOTE_SECONDS = 0.02
"""A fetch that finds nothing but the ends of transactions moves on, and waits: how soon it is noted that it did."""


class Positions(Protocol):
    """Who knows from where each partition goes on."""

    async def on_revocation(self) -> None:
        """All partitions are about to be divided anew, and may be somebody else's right after this."""

    async def on_assignment(self, assigned: set[TP]) -> None:
        """Close what is no longer ours and open the rest; each is sought to and resumed once it is ready."""

    def next_offset(self, tp: TP) -> int | None:
        """The first offset that the state does not reflect; null where nothing was ever read."""


class WholeAssignor(RangePartitionAssignor):
    """Range, which keeps partitions of one number together over all topics; round-robin, Faust's choice, does not.

    It divides no topic that the metadata lacks, as just after a broker's start: range would give that topic's
    partitions to nobody, and a static member that is killed then takes the empty share back for good.
    """

    @classmethod
    def assign(cls, cluster: Any, members: Any) -> Any:
        topics = {topic for member in members.values() for topic in member.subscription}
        if unknown := [topic for topic in topics if not cluster.partitions_for_topic(topic)]:
            message = f"the cluster's metadata does not know {len(unknown)} of {len(topics)} topics yet"
            raise Unreachable(message)
        return super().assign(cluster, members)


class Fetched(NamedTuple):
    """What one fetch has found, and its number, which is greater than that of any fetch before."""

    records: Mapping[TP, Sequence[Any]]
    number: int


NOTHING_FETCHED: Final = Fetched({}, 0)


class ReadCommittedThread(AIOKafkaConsumerThread):
    """The consumer in its thread, with the settings that Faust does not let one choose."""

    limit: int | None = None
    """Records a fetch may yield, while an unreadable one is closed in on; null otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._number = 0
        self._handed: dict[TP, tuple[int | None, int]] = {}
        """Of each partition, its position after the last fetch, and the number of the last that had records of it."""
        super().__init__(*args, **kwargs)

    async def _fetch_records(
        self,
        consumer: Any,
        active_partitions: Any,
        timeout: float | None = None,
        max_records: int | None = None,
    ) -> Any:
        until = time.monotonic() + (timeout or 0.0)
        while True:
            wait = min(NOTE_SECONDS, max(0.0, until - time.monotonic()))
            found = await super()._fetch_records(consumer, active_partitions, wait, self.limit or max_records)
            self._number += 1
            fetched = Fetched({TP(*tp): records for tp, records in found.items() if records}, self._number)
            self._note(active_partitions, fetched)
            if fetched.records or not wait or not self.consumer.flow_active:
                return fetched

    def _note(self, active_partitions: Iterable[TP], fetched: Fetched) -> None:
        for tp in {*active_partitions, *fetched.records}:
            state = self._state_of(tp)
            position = state.position if state and state.has_valid_position else None
            last = self._handed.get(tp, (None, 0))[1]
            self._handed[tp] = (position, fetched.number if tp in fetched.records else last)

    def caught_up_at(self, tp: TP, taken: int) -> int | None:
        """When (ms) the broker last said where this partition ends, if all that it then held has been taken over.

        `taken` numbers the last fetch with records of it that has arrived: one may be on its way between threads.
        """
        state = self._state_of(tp)
        if state is None or state.lso is None or not state.has_valid_position:
            return None
        # In this order: a fetch moves the position first, and is noted last.
        position, at_ms = state.position, state.timestamp
        if position < state.lso or self._handed.get(tp) != (position, taken):
            return None
        return int(at_ms)

    def _state_of(self, tp: TP) -> Any:
        assignment = self._ensure_consumer()._subscription.subscription.assignment
        return assignment and assignment.state_value(driver.ensure_aiokafka_TP(tp))

    def unreadable(self) -> tuple[TP, int]:
        """Where the record lies at which decoding has just raised: its iterator is the one that was closed."""
        fetcher: Any = self._ensure_consumer()._fetcher
        return next(
            (TP(*tp), result._partition_records.next_fetch_offset)
            for tp, result in fetcher._records.items()
            if getattr(result, "_partition_records", None) and not result._partition_records._records_iterator.gi_frame
        )

    def _create_worker_consumer(self, transport: driver.Transport) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        return aiokafka.AIOKafkaConsumer(
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[WholeAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 300) * 1000),
            max_partition_fetch_bytes=FETCH_BYTES,
            # One fetch is in flight a node: with Faust's 1,500 ms an idle topic would hold up the busy ones.
            fetch_max_wait_ms=50,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            isolation_level="read_committed",
            metadata_max_age_ms=30_000,
        )


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
        self._seeks: dict[TP, int] = {}
        self._waiting: dict[TP, int] = {}
        self._released = asyncio.Event()
        self._adrift: set[TP] = set()
        self._held: set[TP] = set()
        self._taken: dict[TP, int] = {}
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
            await self.positions.on_assignment(set())

    async def perform_seek(self) -> None:
        """Called by Faust once an assignment has settled, in the place of a seek to committed offsets."""
        await self.positions.on_assignment({TP(*tp) for tp in self.assignment()})

    def hold(self, tps: Iterable[TP]) -> None:
        """Fetch nothing of these until `go_on`, and void what was fetched of them before."""
        held = set(tps)
        self.pause_partitions(held)
        self._held |= held
        for tp in held:
            self._void(tp)

    def _void(self, tp: TP) -> None:
        self._seeks[tp] = self._seeks.get(tp, 0) + 1
        self._waiting[tp] = 0

    async def go_on(self, tps: Iterable[TP]) -> None:
        """Fetch these from where their state ends; if they are being taken away, the next assignment sees to them."""
        ready = set(tps) & {TP(*tp) for tp in self.assignment()}
        with suppress(IllegalStateError):
            for tp in sorted(ready):
                await self._seek_to_state(tp)
            self._held -= ready
            self.resume_partitions(ready)

    def is_current(self, batch: Batch) -> bool:
        """Whether no seek has come between the fetch of this batch and now."""
        return self._seeks.get(TP(batch.topic, batch.partition)) == batch.seek

    def release(self, batch: Batch) -> None:
        """Make room for another batch of that partition."""
        tp = TP(batch.topic, batch.partition)
        if self.is_current(batch):
            self._waiting[tp] -= 1
            self._released.set()

    async def ends(self, tps: Iterable[TP]) -> Mapping[TP, int]:
        """Where these partitions end now."""
        return await self._thread.highwaters(*tps)

    def decided_until(self, tp: TP) -> int | None:
        """Until when (ms) all that Kafka had accepted is decided; null while some of it waits, or that is unknown."""
        if self._waiting.get(tp) or tp in self._held or tp in self._adrift:
            return None
        return self._thread.caught_up_at(tp, self._taken.get(tp, 0))

    async def _getmany(self, active_partitions: Any, timeout: float) -> Any:
        """Fetch of those that have room: express lanes have room of their own, whatever the others' backlog."""
        full = {tp for tp, waiting in self._waiting.items() if waiting >= BUFFERED}
        open_ = set(active_partitions) - full
        if not open_:
            self._released.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._released.wait(), timeout)
            return NOTHING_FETCHED
        return await super()._getmany(open_, LOOK_AGAIN_SECONDS if full else timeout)

    async def _seek_to_state(self, tp: TP) -> None:
        offset = self.positions.next_offset(tp)
        if offset is None:
            await self._thread.seek_to_beginning(driver.ensure_aiokafka_TP(tp))
        else:
            await self._thread.seek_wait({tp: offset})
        # Counted after the seek: a fetch that began before it may hold either side's records, and is void.
        self._void(tp)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Fetch, and yield one message a partition, whose value is the batch."""
        # Here and only here no fetch is under way, so a seek cannot be overtaken by an older answer.
        for tp in self._adrift & {TP(*tp) for tp in self.assignment()} & self._get_active_partitions():
            await self._seek_to_state(tp)
        self._adrift.clear()
        seeks = dict(self._seeks)
        try:
            waited: Any = await self._wait_next_records(timeout)
        except UnicodeDecodeError:
            if (stand_in := await self._close_in()) is not None:
                yield stand_in
            return
        fetched: Fetched = waited[0] or NOTHING_FETCHED
        if self.should_stop:
            return
        # All of it before any is handed on, which takes its time.
        for tp in fetched.records:
            self._taken[tp] = fetched.number
            self._waiting[tp] = self._waiting.get(tp, 0) + 1
        for tp, records in fetched.records.items():
            if not self.flow_active or tp not in seeks or self._seeks.get(tp) != seeks[tp]:
                self._adrift.add(tp)
                continue
            yield tp, self._batch_message(tp, records, seeks[tp])

    async def _close_in(self) -> tuple[TP, ConsumerMessage] | None:
        """Close in on a record that the client cannot decode: a header name that is no UTF-8.

        The client raises, and forgets what it had read before it: read again from the state, half as much each time.
        Once it comes alone, it is passed over, and a stand-in goes on in its place.
        """
        if self._thread.limit != 1:
            self._thread.limit = max(1, (self._thread.limit or self.app.conf.broker_max_poll_records) // 2)
            self._adrift |= {TP(*tp) for tp in self.assignment()}
            return None
        self._thread.limit = None
        tp, offset = self._thread.unreadable()
        # Not counted as a seek: what was handed over before it is still to be decided, and comes first.
        await self._thread.seek_wait({tp: offset + 1})
        record = UnreadableRecord(tp.topic, tp.partition, offset)
        self._waiting[tp] = self._waiting.get(tp, 0) + 1
        return tp, self._batch_message(tp, [record], self._seeks.get(tp, 0))

    def _batch_message(self, tp: TP, records: Sequence[Any], seek: int) -> ConsumerMessage:
        last = records[-1]
        batch: Any = Batch(tp.topic, tp.partition, seek, records)
        return ConsumerMessage(
            tp.topic, tp.partition, last.offset, 0.0, 0, [], None, batch, None,
            tp=tp, generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

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
