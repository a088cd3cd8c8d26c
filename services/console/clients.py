"""The console's own consumers of Kafka: outside any group, of what is committed alone."""

from collections.abc import Callable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient


def consumer_of(bootstrap: str, wait_ms: int, read: Callable[[bytes | None], Any] | None = None) -> AIOKafkaConsumer:
    """One that is not started. With `read`, that is all that is kept of a value, and of a key nothing."""
    return AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False, fetch_max_wait_ms=wait_ms, fetch_max_bytes=8 << 20,
        max_partition_fetch_bytes=1 << 20 if read is None else 1 << 14,
        value_deserializer=read, key_deserializer=None if read is None else nothing,
    )  # fmt: skip


def nothing(_raw: bytes | None) -> None:
    """What is kept of a key or a value that is nobody's here."""


async def opened(consumer: AIOKafkaConsumer, bootstrap: str, topics: Sequence[str]) -> list[TopicPartition]:
    """Start the client, and let it learn of these topics at once: by itself it asks for one after another."""
    await consumer.start()
    places = await _places(bootstrap, topics)
    await consumer._client.set_topics({place.topic for place in places})  # noqa: SLF001  # there is no public way
    return places


async def _places(bootstrap: str, topics: Sequence[str]) -> list[TopicPartition]:
    """Every partition of those topics that are there yet."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        described = await admin.describe_topics(list(topics))
    finally:
        await admin.close()
    return [
        TopicPartition(topic["topic"], number)
        for topic in described
        if not topic["error_code"]
        for number in sorted(one["partition"] for one in topic["partitions"])
    ]
