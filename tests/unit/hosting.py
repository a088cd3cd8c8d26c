"""A host at work on one partition, without a broker: what stands in for it says yes at once, or when it is let."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Generic, Self, TypeVar, cast

from aiokafka import TopicPartition
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata
from faust.types import TP

from ops.benchmarks.memory_state import MemoryState
from services.runtime.agent import Agent
from services.runtime.host import Host
from services.runtime.partition import Partition
from services.runtime.records import Batch, CaughtUp, FetchedRecord
from services.runtime.schedule import Worklist
from services.runtime.watchdog import Pulse

SomeAgent = TypeVar("SomeAgent", bound=Agent)


class StandInConsumer:
    """Takes every batch for current until told otherwise."""

    def __init__(self) -> None:
        self.current = True
        self.released: list[Batch] = []
        self.fetched: set[TP] = set()
        self.caught_up: CaughtUp | None = None

    def is_current(self, _batch: Batch) -> bool:
        return self.current

    def hold(self, tps: set[TP]) -> None:
        self.fetched -= tps

    async def go_on(self, tps: set[TP]) -> None:
        self.fetched |= tps

    async def ends(self, tps: set[TP]) -> dict[TP, int]:
        return dict.fromkeys(tps, 0)

    def release(self, batch: Batch) -> None:
        self.released.append(batch)

    def decided_until(self, _tp: TP) -> CaughtUp | None:
        return self.caught_up


class StandInProducer:
    """Takes every transaction, at once or when it is let."""

    def __init__(self) -> None:
        self.lets = asyncio.Event()
        self.lets.set()
        self.error: Exception | None = None
        self.sent: list[tuple[str, int, int]] = []
        self.transactions = 0

    async def partitions_for(self, _topic: str) -> set[int]:
        return set(range(12))

    async def begin_transaction(self) -> None:
        await self.lets.wait()
        if self.error:
            raise self.error

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(100_000, 0, is_transactional=1)

    async def send_batch(self, batch: BatchBuilder, topic: str, *, partition: int) -> asyncio.Future[RecordMetadata]:
        self.sent.append((topic, partition, batch.record_count()))
        done: asyncio.Future[RecordMetadata] = asyncio.get_running_loop().create_future()
        done.set_result(RecordMetadata(topic, partition, TopicPartition(topic, partition), len(self.sent), 0, 0, 0))
        return done

    async def commit_transaction(self) -> None:
        self.transactions += 1

    async def stop(self) -> None: ...


class StandInStore(MemoryState):
    """Its mark is of no interest here."""

    mark = None

    def apply(self, changes: Mapping[bytes, bytes | None], _followed: int = 0, _at_ms: int = 0) -> None:
        super().apply(changes)

    def close(self) -> None: ...


class SenderHere:
    """Sends from the loop that decides."""

    async def run(self, work: Awaitable[Any]) -> Any:
        return await work


class Hosting(Generic[SomeAgent]):
    """A host at work on one partition."""

    def __init__(
        self, agent: SomeAgent, producer: StandInProducer | None = None, session_timeout_seconds: float = 0.01
    ) -> None:
        self.agent = agent
        self.producer, self.consumer = producer or StandInProducer(), StandInConsumer()
        self.state = StandInStore()
        settings = SimpleNamespace(session_timeout_seconds=session_timeout_seconds)
        policies = SimpleNamespace(caught_up=asyncio.Event())
        policies.caught_up.set()
        self.host = Host(agent, cast("Any", settings), cast("Any", policies), Pulse())
        self.host.app = SimpleNamespace(consumer=self.consumer)
        self.failures: list[BaseException] = []
        self.host.leave = self.failures.append  # type: ignore[method-assign,assignment]  # the tests' own process stays
        self.opened: list[Partition] = []
        self.opening: Callable[[], Awaitable[object]] | None = None
        """What opening a partition waits for."""
        self.host.take_over = self.take_over  # type: ignore[method-assign]  # without a broker
        self.partition = self.host.partitions[0] = self._partition()
        self.lanes = {TP(topic, 0) for topic in agent.lanes}

    def _partition(self) -> Partition:
        return Partition(
            0,
            self.agent.changelog,
            cast("Any", self.state),
            cast("Any", self.producer),
            cast("Any", SenderHere()),
            Worklist.of(self.agent.lanes, self.agent.express),
            {},
        )

    async def take_over(self, number: int, progress: Callable[[], None]) -> Partition:  # noqa: ARG002  # there is one
        if self.opening:
            await self.opening()
        self.opened.append(self._partition())
        return self.opened[-1]

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self.host.work.go())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.producer.lets.set()
        self._work.cancel()
        await self.host.close()

    def take(self, topic: str, *values: bytes, first: int = 0) -> None:
        self.hear(topic, [(b"k", value) for value in values], first)

    def hear(self, topic: str, messages: Sequence[tuple[bytes | None, bytes | None]], first: int) -> None:
        rows = [FetchedRecord(topic, 0, first + n, 0, key, value) for n, (key, value) in enumerate(messages)]
        self.host.work.take(Batch(topic, 0, 1, rows))

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110  # what is waited for sets no event
                await asyncio.sleep(0)
