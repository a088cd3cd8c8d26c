"""Reads every topic out with a plain Kafka client (kafka-python), committed records only."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from kafka import KafkaConsumer, TopicPartition

from ops.demo.readout import ReadOut, Row
from services.contract.errors import Unreachable
from services.contract.topology import (
    CHANGES,
    CONSENTS,
    IDENTIFIERS,
    LINKS,
    POLICIES,
    PSEUDONYMISATION_STATE,
    UNLINKS,
    expand,
)
from services.pseudonymisation.emission import SEQ

SECONDS = 60.0
POLL_MS = 200
MAX_POLL = 5000
INPUTS = (CHANGES, CONSENTS)
"""What platforms write outside any transaction, so that every offset is a record."""


def open_consumer(bootstrap: str) -> KafkaConsumer:
    return KafkaConsumer(
        bootstrap_servers=bootstrap.split(","), isolation_level="read_committed", group_id=None,
        enable_auto_commit=False, auto_offset_reset="earliest", fetch_max_wait_ms=50, max_poll_records=MAX_POLL,
    )  # fmt: skip


def partitions_of(consumer: KafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    """Every partition of these topics.

    Raises:
        Unreachable: a topic is not there.
    """
    found = []
    for topic in topics:
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise Unreachable(f"{topic}: no such topic on this cluster; run `sanctuaire topics apply`")
        found += [TopicPartition(topic, number) for number in sorted(numbers)]
    return found


def visible_topics(providers: Sequence[str]) -> tuple[str, ...]:
    """What the flow shows of itself: every topic but the memories of the stages and of `publish`."""
    return tuple(t.name for t in expand(tuple(providers)) if t.payloads and t.name != IDENTIFIERS)


def read_out(bootstrap: str, logs: Mapping[str, Path]) -> ReadOut:
    """Every committed record up to where each topic ends now; the providers are those that policies.v1 names."""
    with closing(open_consumer(bootstrap)) as consumer:
        policies = ReadOut({POLICIES: _read(consumer, (POLICIES,))[POLICIES]}, {}, {}).policies
        topics = _read(consumer, visible_topics(sorted(policies)))
        named = {
            (row.key or b"").removeprefix(SEQ).decode(): row.partition
            for row in _read(consumer, (PSEUDONYMISATION_STATE,))[PSEUDONYMISATION_STATE]
            if (row.key or b"").startswith(SEQ)
        }
        inputs = partitions_of(consumer, INPUTS)
        starts, ends = consumer.beginning_offsets(inputs), consumer.end_offsets(inputs)
    texts = {name: path.read_text("utf-8", "replace") for name, path in logs.items() if path.exists()}
    return ReadOut(topics, {(tp.topic, tp.partition): (starts[tp], ends[tp]) for tp in inputs}, texts, named)


def published(bootstrap: str) -> Mapping[str, int]:
    """How many records each input holds."""
    with closing(open_consumer(bootstrap)) as consumer:
        inputs = partitions_of(consumer, INPUTS)
        starts, ends = consumer.beginning_offsets(inputs), consumer.end_offsets(inputs)
    return {topic: sum(ends[tp] - starts[tp] for tp in inputs if tp.topic == topic) for topic in INPUTS}


def linked(bootstrap: str) -> Mapping[str, int]:
    """How many links the filter has told itself until now."""
    with closing(open_consumer(bootstrap)) as consumer:
        return {topic: len(rows) for topic, rows in _read(consumer, (UNLINKS, LINKS)).items()}


def _read(consumer: KafkaConsumer, topics: Sequence[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {topic: [] for topic in topics}
    for topic, row in _rows(consumer, topics):
        found[topic].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (row.partition, row.offset))
    return found


def _rows(consumer: KafkaConsumer, topics: Sequence[str]) -> Iterator[tuple[str, Row]]:
    places = partitions_of(consumer, topics)
    consumer.assign(places)
    consumer.seek_to_beginning(*places)
    ends = consumer.end_offsets(places)
    deadline = time.monotonic() + SECONDS
    while any(consumer.position(place) < ends[place] for place in places):
        if time.monotonic() > deadline:
            raise Unreachable(f"the topics could not be read to their ends within {SECONDS:.0f} s")
        for place, records in consumer.poll(timeout_ms=POLL_MS).items():
            for one in records:
                yield place.topic, Row(one.partition, one.offset, one.key, one.value, tuple(one.headers))
