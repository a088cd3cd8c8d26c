"""What one transaction is to say, as ready-made batches: each topic and partition's in their order."""

import zlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from services.contract.envelope import Header
from services.runtime.outbox import BY_SUBJECT, Output

Place = tuple[str, int]
"""Topic and partition."""
_NO_HEADERS: Final[list[Header]] = []


class Writer:
    """Fills one ready-made batch after another for one topic and partition."""

    __slots__ = ("_append", "_count", "_producer", "batches")

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self.batches: list[Any] = []
        self._open()

    def _open(self) -> None:
        self.batches.append(self._producer.create_batch())
        # Not the batch's own `append`: between that and this lie two calls in Python, which cost more than the record.
        self._append = self.batches[-1]._builder.append  # noqa: SLF001
        self._count = 0

    def append(self, at: int, key: bytes | None, value: bytes | None, headers: Sequence[Header]) -> None:
        given = headers if type(headers) is list else list(headers)
        if self._append(self._count, at, key, value, given) is None:
            self.close()
            self._open()
            if self._append(0, at, key, value, given) is None:
                # The outbox has refused what is too large: what gets here must not be lost.
                raise RuntimeError("a record does not fit into an empty batch")
        self._count += 1

    def close(self) -> None:
        """Let the batch know how many it holds; nothing more goes into it."""
        self.batches[-1]._relative_offset = self._count  # noqa: SLF001  # what its own `append` counts
        self.batches[-1].close()


def uncounted(outputs: Sequence[Output], counts: Mapping[str, int]) -> set[str]:
    """The topics of which a partition is to be chosen, and nobody knows how many they have."""
    return {output.topic for output in outputs if output.partition < 0 and output.topic not in counts}


def batches_of(  # noqa: PLR0913, PLR0917  # a transaction, and where it goes
    producer: AIOKafkaProducer, outputs: Sequence[Output], changes: Mapping[bytes, bytes | None], changelog: Place,
    counts: Mapping[str, int], now_ms: int,
) -> list[tuple[Place, Any]]:  # fmt: skip
    """Every batch and its place; `counts` says how many partitions the topics have of which one is to be chosen."""
    writers: dict[Place, Writer] = {}
    for output in outputs:
        topic, partition, at = output.topic, output.partition, output.timestamp_ms
        place = (topic, partition if partition >= 0 else _chosen(output.key, partition, counts[topic]))
        writer = writers.get(place)
        if writer is None:
            writer = writers[place] = Writer(producer)
        writer.append(now_ms if at is None else at, output.key, output.value, output.headers)
    if changes:
        writer = writers[changelog] = Writer(producer)
        for name, kept in changes.items():
            writer.append(now_ms, name, kept, _NO_HEADERS)
    for writer in writers.values():
        writer.close()
    return [(place, batch) for place, writer in writers.items() for batch in writer.batches]


def _chosen(key: bytes | None, by: int, partitions: int) -> int:
    """By Kafka's own default, where platforms and we must meet; else by CRC-32, as librdkafka's `consistent` does.

    The default, murmur2, is pure Python here, and costs some microseconds a record.
    """
    return (murmur2(key or b"") & 0x7FFFFFFF if by == BY_SUBJECT else zlib.crc32(key or b"")) % partitions
