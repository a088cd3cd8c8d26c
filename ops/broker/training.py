"""Makes the ahead-of-time cache: one broker does a little of everything, and Java writes down what it loaded."""

import tempfile
from pathlib import Path

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from ops.broker.configuration import CLASSES_ONLY
from ops.broker.embedded import EmbeddedBroker
from ops.broker.jars import Progress, default_cache, installed_jars, kafka_folder
from ops.broker.warmth import aot_file

TOPIC = "training"
RECORDS = 500
ASSEMBLY_SECONDS = 120.0


def prepare(cache: Path | None = None, progress: Progress | None = None) -> Path:
    """Fetch what is missing and train what is not trained; the folder that holds both.

    Raises:
        Unreachable: the jars cannot be fetched.
        BrokerError: the training broker did not run.
    """
    place = cache or default_cache()
    installed_jars(place, progress)
    folder = kafka_folder(place)
    if not aot_file(folder).is_file():
        _train(place, aot_file(folder))
    return folder


def _train(cache: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="training-", dir=target.parent) as beside:
        made = Path(beside) / target.name
        broker = EmbeddedBroker(cache=cache, java=(f"-XX:AOTCacheOutput={made}", *CLASSES_ONLY))
        with broker:
            _exercise(broker.bootstrap)
            broker.stop(ASSEMBLY_SECONDS)
        if made.is_file():
            made.replace(target)


def _exercise(bootstrap: str) -> None:
    """A topic, a transaction, a group: what every start of the demonstration and the tests does."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({TOPIC: {"num_partitions": 2, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()
    producer = KafkaProducer(bootstrap_servers=bootstrap, transactional_id=TOPIC)
    producer.init_transactions()
    producer.begin_transaction()
    for number in range(RECORDS):
        producer.send(TOPIC, key=b"%d" % number, value=b"invented")
    producer.commit_transaction()
    producer.close()
    consumer = KafkaConsumer(
        TOPIC,
        bootstrap_servers=bootstrap,
        group_id=TOPIC,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        consumer_timeout_ms=20_000,
    )
    for _, _record in zip(range(RECORDS), consumer, strict=False):
        pass
    consumer.close()
