"""The one producer of a stage and partition, and the batches that are put together for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaProducer

from services.contract.envelope import Header
from services.runtime.settings import Settings

if TYPE_CHECKING:
    from aiokafka.producer.message_accumulator import BatchBuilder

BATCH_BYTES = 960 * 1024
TRANSACTION_TIMEOUT_MS = 60_000


class Writer:
    """Fills one ready-made batch after another for one topic and partition."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.batches: list[BatchBuilder] = [producer.create_batch()]

    def append(self, at: int, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> None:
        given: Any = headers if type(headers) is list else list(headers)
        if self.batches[-1].append(timestamp=at, key=key, value=value, headers=given) is None:
            self.batches.append(self._producer.create_batch())
            if self.batches[-1].append(timestamp=at, key=key, value=value, headers=given) is None:
                # The outbox has refused what is too large: what gets here must not be lost.
                raise RuntimeError("a record does not fit into an empty batch")


async def fenced_producer(group: str, settings: Settings, number: int) -> AIOKafkaProducer:
    """The one producer of a stage and partition: when it starts, whoever had it before can commit no more."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.kafka_bootstrap,
        transactional_id=f"{group}-{number}",
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
        request_timeout_ms=int(settings.request_timeout_seconds * 1000),
        max_batch_size=BATCH_BYTES,
        max_request_size=BATCH_BYTES + 64 * 1024,
        linger_ms=0,
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer
