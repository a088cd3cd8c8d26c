"""The one producer of a stage and partition."""

from aiokafka import AIOKafkaProducer

from services.runtime.settings import Settings

BATCH_BYTES = 960 * 1024
TRANSACTION_TIMEOUT_MS = 60_000


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
