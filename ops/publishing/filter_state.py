"""What the filter remembers, read from its changelog as it was when the reading began; nothing of it is kept here."""

import time
from collections.abc import Callable, Iterator
from typing import Protocol

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from ops.publishing.cluster import READ_SECONDS, Addresses, require_topics
from services.contract.errors import Unreachable
from services.contract.topology import FILTERING_STATE

Progress = Callable[[int, int], None]
"""Called with how much was read, and of how much."""


class Counting(Protocol):
    """What counts over the changelog, in which a later entry of a key replaces an earlier one."""

    def take(self, key: bytes, value: bytes | None) -> None: ...
    def end_partition(self) -> None: ...


def count_state(addresses: Addresses, counts: Counting, progress: Progress) -> None:
    """Take every entry of the changelog into what counts it, partition by partition.

    Raises:
        WrongSettings: there is no such topic.
        Unreachable: the cluster went away in between.
    """
    require_topics(addresses, (FILTERING_STATE,))
    with KafkaConsumer(
        bootstrap_servers=addresses, isolation_level="read_committed", enable_auto_commit=False,
        fetch_max_wait_ms=100, max_poll_records=2000, max_partition_fetch_bytes=4 << 20,
    ) as consumer:  # fmt: skip
        try:
            numbers = sorted(consumer.partitions_for_topic(FILTERING_STATE) or ())
            partitions = [TopicPartition(FILTERING_STATE, number) for number in numbers]
            begins, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
            whole, done = sum(ends[each] - begins[each] for each in partitions), 0
            for partition in partitions:
                for position in _read(consumer, partition, ends[partition], counts):
                    progress(done + position - begins[partition], whole)
                done += ends[partition] - begins[partition]
                counts.end_partition()
        except KafkaError as error:
            raise Unreachable(f"{FILTERING_STATE}: cannot be read ({type(error).__name__}); try again") from None


def _read(consumer: KafkaConsumer, partition: TopicPartition, end: int, counts: Counting) -> Iterator[int]:
    """Take one partition in, and give its position after each fetch."""
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    deadline = time.monotonic() + READ_SECONDS
    while (position := consumer.position(partition)) < end:
        yield position
        for record in consumer.poll(timeout_ms=200).get(partition, ()):
            counts.take(record.key or b"", record.value)
            deadline = time.monotonic() + READ_SECONDS
        if time.monotonic() > deadline:
            raise Unreachable(f"{FILTERING_STATE}: the cluster stopped answering before its end; try again")
