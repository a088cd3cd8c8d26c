"""The ends of the topics that hold people: how old the last heartbeat is, and whether what waits there is a record.

A record is fetched here to see where it lies. Of its value only a heartbeat is kept, of all else nothing: the clients
drop it before it becomes an object of ours. Of headers nothing is looked at.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.console.clients import consumer_of, nothing, opened
from services.console.model import Model
from services.console.watching import Place, lanes, watched_topics
from services.contract.errors import Unreadable
from services.contract.heartbeats import MAX_HEARTBEAT_BYTES, read_heartbeat

LANES_AT_ONCE: Final = 128
"""More take their turn: what is read a second does not grow with the number of providers."""
BACK: Final = 64
"""How many offsets before its end a lane is first read."""
MOST_BACK: Final = 2000
"""And at most, once it is followed."""
MARKS_AT_ONCE: Final = 32
AT_ONCE: Final = 500
ROUND_SECONDS: Final = 5.0
_BEGINS: Final = b'{"partition":'
"""As `Heartbeat` is written; nothing else is even parsed."""

Take = Callable[[TopicPartition, Sequence[ConsumerRecord[None, Any]]], bool]
"""Take what was read, and say whether more is wanted."""


class Beaten(NamedTuple):
    """One heartbeat: of which of the filter's partitions, up to when (seconds since 1970)."""

    partition: int
    until: float


def beat_of(value: bytes | None) -> Beaten | None:
    """The heartbeat that a value is; null for whatever else it may be."""
    if value is None or not value.startswith(_BEGINS) or len(value) > MAX_HEARTBEAT_BYTES:
        return None
    try:
        beat = read_heartbeat(value)
    except Unreadable:
        return None
    return None if beat is None else Beaten(beat.partition, beat.applied_until.timestamp())


class Tail:
    """Two tasks that look again and again, each with a client of its own."""

    def __init__(self, bootstrap: str, model: Model, look_seconds: float) -> None:
        self._bootstrap = bootstrap
        self._model = model
        self._look_seconds = look_seconds

    async def beats(self, providers: Sequence[str]) -> None:
        """Follow the heartbeats, some lanes at a time."""
        consumer = consumer_of(self._bootstrap, 500, beat_of)
        nexts: dict[TopicPartition, int] = {}
        try:
            places = await opened(consumer, self._bootstrap, lanes(providers))
            while places:
                turn, places = places[:LANES_AT_ONCE], [*places[LANES_AT_ONCE:], *places[:LANES_AT_ONCE]]
                self._model.beat(*await _beats_of(consumer, turn, nexts))
                await asyncio.sleep(self._look_seconds)
        finally:
            await consumer.stop()

    async def marks(self, providers: Sequence[str]) -> None:
        """See whether a record lies where a stage stands still: all that is there may be aborted."""
        consumer = consumer_of(self._bootstrap, 500, nothing)
        seen: dict[Place, int] = {}
        try:
            await opened(consumer, self._bootstrap, watched_topics(providers))
            while True:
                still = self._model.watching.standing_still()
                asked = {place: at for place, at in still.items() if seen.get(place) != at}
                for place, (first, is_dry) in (await _first_records(consumer, asked)).items():
                    if not is_dry:
                        seen[place] = max(asked[place], first)
                    self._model.pass_over(place, first, is_dry=is_dry)
                await asyncio.sleep(self._look_seconds)
        finally:
            await consumer.stop()


async def _beats_of(
    consumer: AIOKafkaConsumer, turn: Sequence[TopicPartition], nexts: dict[TopicPartition, int]
) -> tuple[dict[Place, dict[int, float]], float]:
    """What is new on these lanes, and for each of them at least that it was looked into; and as of when."""
    begins, ends, seen = await consumer.beginning_offsets(turn), await consumer.end_offsets(turn), time.time()
    starts = {tp: max(begins[tp], nexts[tp] if tp in nexts else ends[tp] - BACK, ends[tp] - MOST_BACK) for tp in turn}
    found: dict[Place, dict[int, float]] = {(tp.topic, tp.partition): {} for tp in turn}

    def take(tp: TopicPartition, records: Sequence[ConsumerRecord[None, Any]]) -> bool:
        beats = found[tp.topic, tp.partition]
        for record in records:
            if isinstance(record.value, Beaten) and record.serialized_key_size < 0:
                beats[record.value.partition] = max(record.value.until, beats.get(record.value.partition, 0.0))
        return True

    nexts |= await _read(consumer, starts, ends, take)
    return found, seen


async def _first_records(consumer: AIOKafkaConsumer, asked: Mapping[Place, int]) -> dict[Place, tuple[int, bool]]:
    """Of each place, from that offset on, where the first record lies; or where it ends, and that it is dry."""
    places = [TopicPartition(*place) for place in list(asked)[:MARKS_AT_ONCE]]
    if not places:
        return {}
    begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
    starts = {tp: max(begins[tp], asked[tp.topic, tp.partition]) for tp in places}
    found: dict[Place, tuple[int, bool]] = {}

    def take(tp: TopicPartition, records: Sequence[ConsumerRecord[None, Any]]) -> bool:
        found[tp.topic, tp.partition] = records[0].offset, False
        return False

    reached = await _read(consumer, starts, ends, take)
    for tp, at in reached.items():
        if at >= ends[tp]:
            found.setdefault((tp.topic, tp.partition), (at, True))
    return found


async def _read(
    consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int], take: Take
) -> dict[TopicPartition, int]:
    """Read from `starts` up to `ends`, for a while; how far it came, which transactions' marks do not hold up."""
    reached = dict(starts)
    left = [tp for tp in starts if starts[tp] < ends[tp]]
    if not left:
        return reached
    consumer.assign(left)
    for tp in left:
        consumer.seek(tp, starts[tp])
    deadline = time.monotonic() + ROUND_SECONDS
    while left and time.monotonic() < deadline:
        fetched = await consumer.getmany(*left, timeout_ms=200, max_records=AT_ONCE)
        done = {tp for tp, records in fetched.items() if not take(tp, records)}
        for tp in left:
            reached[tp] = await consumer.position(tp)
        left = [tp for tp in left if tp not in done and reached[tp] < ends[tp]]
    consumer.pause(*consumer.assignment())
    return reached
