"""The entries of a compacted topic that a question is about, from one partition, read-committed, outside any group."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from kafka.partitioner.default import murmur2

from ops.explaining.kept import Entry, Kept
from ops.publishing.cluster import READ_SECONDS, Addresses
from services.contract.errors import Unreachable

Wanted = Callable[[bytes], bool]
Progress = Callable[[int, int], None]
"""How many records of how many."""
Entries = Mapping[bytes, Entry]


def partition_of(key: str, partitions: int) -> int:
    """Where a record with this key was published: Kafka's default partitioner, as platforms and `publish` use it."""
    return int((murmur2(key.encode()) & 0x7FFFFFFF) % partitions)


class States:
    """Reads of one cluster, one after another; a topic that is not there holds nothing."""

    def __init__(self, consumer: KafkaConsumer, progress: Progress) -> None:
        self._consumer = consumer
        self._progress = progress

    def partitions(self, topic: str) -> int:
        return len(self._consumer.partitions_for_topic(topic) or ())

    def read(self, topic: str, partition: int, wanted: Wanted) -> Entries:
        """What is wanted of one partition, up to where it ends now; only that is kept, and not in memory.

        Raises:
            Unreachable: the cluster went away in between.
        """
        try:
            if partition not in (self._consumer.partitions_for_topic(topic) or ()):
                return {}
            return self._follow(TopicPartition(topic, partition), wanted)
        except KafkaError as error:
            raise Unreachable(f"{topic}: cannot be read ({type(error).__name__}); try again") from None

    def _follow(self, part: TopicPartition, wanted: Wanted) -> Entries:
        consumer = self._consumer
        consumer.assign([part])
        consumer.seek_to_beginning(part)
        end = consumer.end_offsets([part])[part]
        start = consumer.position(part)
        deadline = time.monotonic() + READ_SECONDS
        found = Kept()
        while (position := consumer.position(part)) < end:
            for record in consumer.poll(timeout_ms=200, max_records=5000).get(part, ()):
                if record.key is not None and wanted(record.key):
                    found.take(record.key, record.value, record.timestamp)
                deadline = time.monotonic() + READ_SECONDS
            self._progress(position - start, end - start)
            if time.monotonic() > deadline:
                raise Unreachable(f"{part.topic}: the cluster stopped answering before its end; try again")
        return found


@contextmanager
def open_states(addresses: Addresses, progress: Progress) -> Iterator[States]:
    with KafkaConsumer(
        bootstrap_servers=addresses, isolation_level="read_committed", enable_auto_commit=False, fetch_max_wait_ms=100
    ) as consumer:
        yield States(consumer, progress)
