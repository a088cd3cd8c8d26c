"""What becomes visible to a reader of committed records, and when: a thread that only reads, to be looked at after."""

import gc
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from confluent_kafka import Consumer, TopicPartition

from ops.benchmarks.cluster import Cluster

POLL_SECONDS = 0.1
TOGETHER = 1000


class Arrival(NamedTuple):
    """One record, and when it was there, on the monotonic clock."""

    topic: str
    key: bytes
    value: bytes | None
    at: float


@contextmanager
def arrivals(cluster: Cluster, topics: Iterable[str]) -> Iterator[list[Arrival]]:
    """A list that grows by whatever comes to these topics from now on.

    Meanwhile this process collects no garbage: walking through all that is listed would hold up whoever looks at
    the clock.
    """
    reader = Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "bench-arrivals",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
            "fetch.wait.max.ms": 50,
        }
    )
    ends = cluster.ends(cluster.places(topics))
    reader.assign([TopicPartition(topic, number, end) for (topic, number), end in ends.items()])
    found: list[Arrival] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            first = reader.poll(POLL_SECONDS)
            at = time.monotonic()
            # What came with it: asked for at once, for each look at the clock takes from what is measured.
            for message in (first, *reader.consume(TOGETHER, 0)) if first is not None else ():
                if message.error() is None:
                    key = _octets(message.key()) or b""
                    found.append(Arrival(str(message.topic()), key, _octets(message.value()), at))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    gc.disable()
    try:
        yield found
    finally:
        gc.enable()
        ended.set()
        thread.join()
        reader.close()


def _octets(content: str | bytes | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content
