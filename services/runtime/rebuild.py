"""temporary until the store is merged"""

import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.runtime import journal
from services.runtime.settings import Settings
from services.runtime.state import PartitionState


async def rebuild(stage, changelog: str, settings: Settings, number: int) -> PartitionState:
    began = time.monotonic()
    tp = TopicPartition(changelog, number)
    state = PartitionState()
    records = 0
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        fetch_max_wait_ms=50,
    )
    consumer.assign([tp])
    await consumer.start()
    try:
        await consumer.seek_to_beginning(tp)
        end = (await consumer.end_offsets([tp]))[tp]
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(tp, timeout_ms=200)).get(tp, ()):
                state.apply({record.key or b"": record.value})
                records += 1
    finally:
        await consumer.stop()
    journal.emit(
        journal.REBUILT, stage=stage, partition=number, records=records, seconds=round(time.monotonic() - began, 3)
    )
    return state
