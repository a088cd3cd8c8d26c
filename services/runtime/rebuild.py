"""Brings a partition's store up to the end of its changelog, from where it stands or from the beginning."""

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from services.contract.errors import Unreachable
from services.contract.topology import STATE_TOMBSTONE_DAYS
from services.runtime import journal, metrics
from services.runtime.agent import Agent
from services.runtime.settings import Settings
from services.runtime.store import Mark, PartitionStore, open_store

PROGRESS_SECONDS = 2.0
POLL_MS = 50
STALE_MS = STATE_TOMBSTONE_DAYS * 86_400_000 // 2
"""A store older than this is not gone on with: tombstones it has not seen may be gone, and the dead would stay."""


@dataclass(frozen=True, slots=True)
class Extent:
    """What the changelog holds, and when that was asked."""

    first: int
    end: int
    at_ms: int

    def refuse(self, mark: Mark) -> str | None:
        """Why a store with this mark cannot be gone on with; null where it can."""
        if mark.offset > self.end:
            return "beyond-end"
        if mark.offset < self.first:
            return "before-start"
        # Either way: a clock that is days off says nothing about age.
        return "stale" if abs(self.at_ms - mark.at_ms) > STALE_MS else None


async def catch_up(
    agent: Agent, settings: Settings, number: int, progress: Callable[[], None] = lambda: None
) -> PartitionStore:
    """The store of a partition, open and at its changelog's end. The partition's fence must be up.

    `progress` is called whenever it has come further.

    Raises:
        StoreInUse: another worker has its folder.
        Unreachable: the changelog is not there.
    """
    tp = TopicPartition(agent.changelog, number)
    # Before the offsets: a topic made anew in between then differs at the next start, at the latest.
    topic_id = await asyncio.to_thread(find_topic_id, settings, agent.changelog)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap, isolation_level="read_committed", auto_offset_reset="none",
        enable_auto_commit=False, fetch_max_wait_ms=POLL_MS,
        request_timeout_ms=int(settings.request_timeout_seconds * 1000),
    )  # fmt: skip
    consumer.assign([tp])
    # Whoever is cancelled, be it while the consumer stops, must leave no store open: nobody could open it again.
    with ExitStack() as opened:
        async with consumer:
            at_ms = time.time_ns() // 1_000_000
            first = (await consumer.beginning_offsets([tp]))[tp]
            # The fence has resolved every transaction of the one writer: what is committed reaches to the end.
            extent = Extent(first, (await consumer.end_offsets([tp]))[tp], at_ms)
            folder = settings.work_folder / "state" / agent.changelog / str(number)
            store, code = open_store(folder, topic_id, extent.refuse)
            opened.callback(store.close)
            if code:
                journal.emit(journal.THROWN_AWAY, stage=agent.stage, partition=number, code=code)
            progress()
            await _follow(agent, consumer, tp, extent, store, progress)
        opened.pop_all()
    return store


async def _follow(  # noqa: PLR0913, PLR0917  # what is followed, by what, and who is told
    agent: Agent, consumer: AIOKafkaConsumer, tp: TopicPartition, extent: Extent, store: PartitionStore,
    progress: Callable[[], None],
) -> None:  # fmt: skip
    """Apply what lies between the store and the end, a fetch at a time.

    On the way the mark keeps the former time: what was read early may have been deleted since, and only the end tells.
    """
    began = said = time.monotonic()
    start = store.mark.offset if store.mark else extent.first
    at_ms = store.mark.at_ms if store.mark else extent.at_ms
    records = 0
    consumer.seek(tp, start)
    while (position := await consumer.position(tp)) < extent.end:
        if fetched := (await consumer.getmany(tp, timeout_ms=POLL_MS)).get(tp):
            store.apply({record.key or b"": record.value for record in fetched}, fetched[-1].offset + 1, at_ms)
            progress()
            records += len(fetched)
            metrics.rebuilt(agent.stage, tp.partition, len(fetched))
        if (now := time.monotonic()) - said >= PROGRESS_SECONDS:
            said = now
            journal.emit(journal.REBUILDING, stage=agent.stage, partition=tp.partition, records=position - start,
                         of=extent.end - start, seconds=round(now - began, 3))  # fmt: skip
    store.apply({}, position, extent.at_ms)
    journal.emit(journal.REBUILT, stage=agent.stage, partition=tp.partition, records=records,
                 seconds=round(time.monotonic() - began, 3))  # fmt: skip


def find_topic_id(settings: Settings, topic: str) -> str:
    """Kafka's own id of a topic. aiokafka cannot ask for it.

    Raises:
        Unreachable: there is no such topic, or the broker gives it no id (Kafka before 2.8).
    """
    timeout_ms = int(settings.request_timeout_seconds * 1000)
    admin = KafkaAdminClient(
        bootstrap_servers=settings.kafka_bootstrap, bootstrap_timeout_ms=timeout_ms, request_timeout_ms=timeout_ms
    )
    try:
        (described,) = admin.describe_topics([topic])
    finally:
        admin.close()
    if not described["topic_id"]:
        message = f"{topic} is not there, or has no id: `sanctuaire topics apply` makes it"
        raise Unreachable(message)
    return str(described["topic_id"])
