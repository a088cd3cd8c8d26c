"""One partition of one stage: its state, its fenced producer, and the transaction that moves both on together."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import RecordMetadata

from services.runtime.agent import Agent
from services.runtime.outbox import Outbox, Output
from services.runtime.rebuild import catch_up
from services.runtime.settings import Settings
from services.runtime.state import OFFSET
from services.runtime.store import PartitionStore

BATCH_BYTES = 512 * 1024
MAX_RECORD_BYTES = 1024 * 1024


@dataclass(slots=True)
class Partition:
    """An open partition. Only `commit` moves it."""

    number: int
    state: PartitionStore
    producer: AIOKafkaProducer
    lock: asyncio.Lock
    """Lanes share the state: one batch of one lane at a time."""

    async def commit(self, agent: Agent, outbox: Outbox, positions: Mapping[str, int]) -> None:
        """Make outputs, state changes and positions durable in one transaction; then, and only then, apply them."""
        changes = dict(outbox.changes)
        changes |= {OFFSET + topic.encode(): str(offset).encode() for topic, offset in positions.items()}
        changelog = [Output(agent.changelog, key, value, self.number, (), None) for key, value in changes.items()]
        await self.producer.begin_transaction()
        acks = await asyncio.gather(*[acked async for acked in self._submit([*outbox.outputs, *changelog])])
        await self.producer.commit_transaction()
        self.state.apply(changes, self._followed(agent.changelog, acks, len(changelog)), time.time_ns() // 1_000_000)

    def _followed(self, changelog: str, acks: Iterable[RecordMetadata], written: int) -> int:
        """How far the changelog goes after a commit: its one writer's records of a transaction lie side by side."""
        bases = [ack.offset for ack in acks if ack.topic == changelog]
        before = self.state.mark.offset if self.state.mark else 0
        # A broker may acknowledge without an offset (-1): the store then stays behind, which is made good at a start.
        return min(bases) + written if bases and min(bases) >= 0 else before

    async def _submit(self, outputs: list[Output]) -> AsyncIterator[asyncio.Future[RecordMetadata]]:
        """Hand outputs over as ready-made batches, in order for each topic and partition; yields what to wait for."""
        now_ms = int(time.time() * 1000)
        filling: dict[tuple[str, int], BatchBuilder] = {}
        for output in outputs:
            place = (output.topic, await self._choose(output))
            if place not in filling:
                filling[place] = self.producer.create_batch()
            if not _append(filling[place], output, now_ms):
                yield await self._send(filling[place], place)
                filling[place] = self.producer.create_batch()
                _append(filling[place], output, now_ms)
        for place, batch in filling.items():
            yield await self._send(batch, place)

    async def _send(self, batch: BatchBuilder, place: tuple[str, int]) -> asyncio.Future[RecordMetadata]:
        topic, partition = place
        sent: asyncio.Future[RecordMetadata] = await self.producer.send_batch(batch, topic, partition=partition)
        return sent

    async def _choose(self, output: Output) -> int:
        if output.partition is not None:
            return output.partition
        count = len(await self.producer.partitions_for(output.topic))
        return int((murmur2(output.key or b"") & 0x7FFFFFFF) % count)

    async def close(self) -> None:
        async with self.lock:
            try:
                await self.producer.stop()
            finally:
                self.state.close()


def _append(batch: BatchBuilder, output: Output, now_ms: int) -> bool:
    at = now_ms if output.timestamp_ms is None else output.timestamp_ms
    return batch.append(timestamp=at, key=output.key, value=output.value, headers=list(output.headers)) is not None


async def open_partition(agent: Agent, settings: Settings, number: int) -> Partition:
    """Take a partition over: fence whoever had it, then bring its store up to the changelog's end."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        transactional_id=f"{agent.group}-{number}",
        transaction_timeout_ms=60_000,
        request_timeout_ms=int(settings.request_timeout_seconds * 1000),
        max_batch_size=BATCH_BYTES,
        max_request_size=MAX_RECORD_BYTES,
        linger_ms=0,
    )
    await producer.start()
    try:
        state = await catch_up(agent, settings, number)
    except BaseException:
        await producer.stop()
        raise
    return Partition(number, state, producer, asyncio.Lock())
