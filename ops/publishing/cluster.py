"""A Kafka cluster as a command sees it: does it answer, has it the topics, what does a small topic hold in all?"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from ops.broker.configuration import parse_bootstrap
from ops.broker.readiness import PAUSE_SECONDS, cluster_id
from services.contract.errors import Unreachable, WrongSettings

ANSWER_SECONDS = 3.0
CLOSE_SECONDS = 5.0
READ_SECONDS = 60.0
"""How long a read may bring nothing before the cluster counts as gone."""

PRODUCER: dict[str, Any] = {
    "acks": "all",
    "enable_idempotence": True,
    "linger_ms": 20,
    "batch_size": 1 << 18,
    "max_block_ms": 15_000,
    "request_timeout_ms": 10_000,
    "delivery_timeout_ms": 30_000,
}

Addresses = list[str]


def reach(bootstrap: str | None, seconds: float = ANSWER_SECONDS) -> Addresses:
    """The addresses of a cluster that answers.

    Raises:
        Unreachable: none is named, or none answers.
        WrongSettings: what is named is not a list of addresses.
    """
    if not (bootstrap or "").strip():
        raise Unreachable("no Kafka cluster is named; set KAFKA_BOOTSTRAP or give --bootstrap host:port")
    addresses = list(parse_bootstrap(bootstrap or ""))
    deadline = time.monotonic() + seconds
    while cluster_id(addresses, {}) is None:
        if time.monotonic() > deadline:
            raise Unreachable(
                f"no Kafka cluster answered within {seconds:.0f} s at the address given; "
                "start it, or correct KAFKA_BOOTSTRAP or --bootstrap"
            )
        time.sleep(PAUSE_SECONDS)
    return addresses


def require_topics(addresses: Addresses, names: Iterable[str], providers: Iterable[str] = ()) -> None:
    """Raise WrongSettings, naming the topics that are missing and the command that makes them, for these providers."""
    with KafkaConsumer(bootstrap_servers=addresses) as consumer:
        missing = sorted(set(names) - consumer.topics())
    if missing:
        command = " ".join(("sanctuaire topics apply", *(f"--provider {name}" for name in providers)))
        raise WrongSettings(f"these topics are missing: {', '.join(missing)}; run `{command}` first")


@contextmanager
def open_producer(addresses: Addresses, **settings: object) -> Iterator[KafkaProducer]:
    """A producer that acknowledges only what all replicas have, each record once and in order."""
    try:
        producer = KafkaProducer(bootstrap_servers=addresses, **{**PRODUCER, **settings})
    except KafkaError as error:
        raise Unreachable(f"the Kafka cluster does not take a producer ({type(error).__name__}); try again") from None
    try:
        yield producer
    except BaseException:
        # Else closing waits for acknowledgements that will not come, and raises in place of the error that says why.
        producer._sender.force_close()  # noqa: SLF001  # kafka-python 3.0.12 has no public way
        producer._sender.join(CLOSE_SECONDS)  # noqa: SLF001
        raise
    finally:
        with suppress(KafkaError):
            producer.close(timeout=CLOSE_SECONDS)


def read_whole(addresses: Addresses, topic: str) -> Iterator[tuple[int, bytes | None, bytes | None]]:
    """Offset, key and value of every committed record of a topic of one partition, outside any group.

    Raises:
        Unreachable: the cluster went away in between.
    """
    return ((record.offset, record.key, record.value) for record in _read(addresses, topic, lambda _: 0))


def read_partition_of(addresses: Addresses, topic: str, key: bytes) -> Iterator[Any]:
    """Every committed record of the partition that Kafka's default partitioner gives this key; fails as above."""
    return _read(addresses, topic, lambda partitions: (murmur2(key) & 0x7FFFFFFF) % partitions)


def _read(addresses: Addresses, topic: str, choose: Callable[[int], int]) -> Iterator[Any]:
    with KafkaConsumer(
        bootstrap_servers=addresses, isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=100
    ) as consumer:
        try:
            partition = TopicPartition(topic, choose(len(consumer.partitions_for_topic(topic) or (0,))))
            consumer.assign([partition])
            consumer.seek_to_beginning(partition)
            end = consumer.end_offsets([partition])[partition]
            deadline = time.monotonic() + READ_SECONDS
            while consumer.position(partition) < end:
                for record in consumer.poll(timeout_ms=200).get(partition, ()):
                    yield record
                    deadline = time.monotonic() + READ_SECONDS
                if time.monotonic() > deadline:
                    raise Unreachable(f"{topic}: the cluster stopped answering before its end; try again")
        except KafkaError as error:
            raise Unreachable(f"{topic}: cannot be read ({type(error).__name__}); try again") from None
