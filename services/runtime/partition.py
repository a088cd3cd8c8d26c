"""One partition of one stage: its state, its fenced producer, and the transaction that moves both on together."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial, reduce
from operator import or_
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer
from aiokafka.errors import IllegalOperation

from services.runtime.agent import Agent
from services.runtime.batches import batches_of, uncounted
from services.runtime.outbox import NOTHING, Outbox
from services.runtime.producing import fenced_producer
from services.runtime.rebuild import catch_up
from services.runtime.schedule import Worklist
from services.runtime.sender import Sender
from services.runtime.settings import Settings
from services.runtime.state import OFFSET
from services.runtime.store import PartitionStore

if TYPE_CHECKING:
    from aiokafka.structs import RecordMetadata

COMMIT_SECONDS = 90.0


@dataclass(slots=True)
class Gathered:
    """What is decided and in no transaction yet: the next steps may join it."""

    outbox: Outbox
    positions: dict[str, int] = field(default_factory=dict)
    durable: list[Callable[[], None]] = field(default_factory=list)
    """Called in their order once it is."""


@dataclass(slots=True)
class Partition:
    """An open partition. Only `commit` moves its state; `position` runs ahead of it by what is not durable yet."""

    number: int
    changelog: str
    state: PartitionStore
    producer: AIOKafkaProducer
    sender: Sender
    """Where the producer lives."""
    worklist: Worklist
    position: dict[str, int]
    """Topic → the first offset that is not decided yet."""
    backlog: dict[str, int] = field(default_factory=dict)
    """Topic → where it ended when the partition was opened; gone once it is decided up to there."""
    count: int = 1
    """How many partitions there are."""
    gathered: Gathered | None = None
    _in_flight: list[dict[bytes, bytes | None]] = field(default_factory=list)
    """What the transactions change that are being committed now, in their order."""
    _last: "asyncio.Task[None] | None" = None
    _counts: dict[str, int] = field(default_factory=dict)

    @property
    def pending(self) -> Mapping[bytes, bytes | None]:
        """What is not durable yet of the state, and being made so."""
        return reduce(or_, self._in_flight) if self._in_flight else NOTHING

    def gather(self, gathered: Gathered, now: float, *, express: bool) -> None:
        """Keep a step that is decided, to be committed with those that follow it."""
        self.gathered = gathered
        self.worklist.gather(gathered.outbox.size, now, express=express)

    def commit_gathered(self) -> "asyncio.Task[None] | None":
        """Begin to commit what is gathered, if anything is."""
        if (gathered := self.gathered) is None:
            return None
        self.gathered, self.worklist.gathered = None, 0
        commit = self.commit(gathered.outbox, gathered.positions)
        commit.add_done_callback(partial(_tell, gathered.durable))
        return commit

    def commit(self, outbox: Outbox, positions: Mapping[str, int]) -> "asyncio.Task[None]":
        """Begin to make outputs, state changes and positions durable, after the batch before; returns at once.

        A commit that fails must end the process: what was decided after it rests on it.
        """
        changes = dict(outbox.changes)
        changes |= {OFFSET + topic.encode(): str(offset).encode() for topic, offset in positions.items()}
        self.position.update(positions)
        self._in_flight.append(changes)
        self.worklist.committing += 1
        self._last = asyncio.create_task(self._commit_after(self._last, outbox, changes))
        return self._last

    async def _commit_after(
        self, before: "asyncio.Task[None] | None", outbox: Outbox, changes: Mapping[bytes, bytes | None]
    ) -> None:
        if before is not None:
            await before
        followed = await self.sender.run(asyncio.wait_for(self._transact(outbox, changes), COMMIT_SECONDS))
        self.state.apply(changes, followed, time.time_ns() // 1_000_000)
        self.worklist.committing -= 1
        del self._in_flight[0]
        outbox.announce()

    async def _transact(self, outbox: Outbox, changes: Mapping[bytes, bytes | None]) -> int:
        """Write it all, and say how far the changelog goes then."""
        await self.producer.begin_transaction()
        acks = await asyncio.gather(*await self._submit(outbox, changes))
        await self.producer.commit_transaction()
        # Its one writer's records of a transaction lie side by side.
        bases = [ack.offset for ack in acks if ack.topic == self.changelog]
        before = self.state.mark.offset if self.state.mark else 0
        # A broker may acknowledge without an offset (-1): the store then stays behind, which is made good at a start.
        return min(bases) + len(changes) if bases and min(bases) >= 0 else before

    async def _submit(
        self, outbox: Outbox, changes: Mapping[bytes, bytes | None]
    ) -> "list[asyncio.Future[RecordMetadata]]":
        """Hand records over as ready-made batches, in order for each topic and partition; what to wait for."""
        for topic in uncounted(outbox.outputs, self._counts):
            self._counts[topic] = len(await self.producer.partitions_for(topic))
        now_ms, changelog = time.time_ns() // 1_000_000, (self.changelog, self.number)
        batches = batches_of(self.producer, outbox.outputs, changes, changelog, self._counts, now_ms)
        sent: list[asyncio.Future[RecordMetadata]] = []
        failed: IllegalOperation | None = None
        try:
            for (topic, partition), batch in batches:
                sent.append(await self.producer.send_batch(batch, topic, partition=partition))
        except IllegalOperation as error:
            failed = error
        if failed is not None:
            # So says a producer that has failed for good in between: why, what was sent before knows.
            await asyncio.gather(*sent)
            raise failed
        return sent

    async def close(self) -> None:
        """Wait for what is being committed, then let go."""
        try:
            if self._last is not None:
                await asyncio.wait([self._last])
            await self.sender.run(self.producer.stop())
        finally:
            self.state.close()


def _tell(durable: Iterable[Callable[[], None]], commit: "asyncio.Task[None]") -> None:
    if not commit.cancelled() and commit.exception() is None:
        for call in durable:
            call()


async def open_partition(
    agent: Agent, settings: Settings, sender: Sender, number: int, progress: Callable[[], None] = lambda: None
) -> Partition:
    """Take a partition over: fence whoever had it, then bring its state up to the changelog's end."""
    producer = await sender.run(fenced_producer(agent.group, settings, number))
    progress()
    try:
        with ExitStack() as opened:
            state = await catch_up(agent, settings, number, progress)
            opened.callback(state.close)
            count = len(await sender.run(producer.partitions_for(agent.changelog)))
            opened.pop_all()
    except BaseException:
        await sender.run(producer.stop())
        raise
    position = {topic: at for topic in agent.lanes if (at := state.next_offset(topic)) is not None}
    return Partition(
        number, agent.changelog, state, producer, sender, Worklist.of(agent.lanes, agent.express), position,
        count=count,
    )  # fmt: skip
