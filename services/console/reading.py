"""The console's own consumers: accounts and quarantines are read, of all other topics only where they end."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.console.accounts import Entry, SetAside, read_aside, read_entry
from services.console.counts import HOUR, MINUTE
from services.console.history import History
from services.console.model import Model, kept_since
from services.console.watching import watched_topics
from services.contract.errors import Unreadable
from services.contract.topology import CONNECTORS_AUDIT, FILTERING_AUDIT, PSEUDONYMISATION_AUDIT, expand
from services.runtime.policies import PolicyBook

AUDITS: Final = (FILTERING_AUDIT, PSEUDONYMISATION_AUDIT, CONNECTORS_AUDIT)
AT_ONCE: Final = 2000
GATHERED_SECONDS: Final = 0.2
"""What comes meanwhile is counted at once."""
WRITE_SECONDS: Final = 2.0
BEGINNINGS_SECONDS: Final = 600.0
LOOK_BACK_MS: Final = 3600_000
"""How far back a console reads that has read nothing before."""
LOOK_BACK_RECORDS: Final = 200
"""And so many entries of each partition at least: they say where the stages stand."""
PAUSE_SECONDS: Final = 1.0


def read_topics(providers: Iterable[str]) -> tuple[str, ...]:
    """The topics whose records are read."""
    quarantines = (topic.name for topic in expand(tuple(sorted(providers))) if topic.name.endswith(".quarantine"))
    return (*AUDITS, *quarantines)


class Reading:
    """Fills the model and keeps its history; begins anew where the providers change or the broker went away."""

    def __init__(self, bootstrap: str, model: Model, history: History, book: PolicyBook, look_seconds: float) -> None:
        self._bootstrap = bootstrap
        self._model = model
        self._history = history
        self._book = book
        self._look_seconds = look_seconds
        self.answered: float | None = None
        """When the broker last said where topics end, by `time.monotonic`."""
        now = time.time()
        hour, minute = kept_since(now)
        model.restore(history.cells(hour), history.paces(minute), *history.standing(), now)
        self._offsets = history.offsets()

    async def run(self) -> None:
        while True:
            model, providers = self._model, self._providers()
            model.providers = providers
            works = (
                self._hear(AUDITS, 500), self._hear(read_topics(providers)[len(AUDITS) :], 5000),
                self._look(tuple(providers)), self._keep(), self._changed(providers),
            )  # fmt: skip
            tasks = [asyncio.create_task(work) for work in works]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            for task in done:
                if (error := task.exception()) is not None and not isinstance(error, KafkaError):
                    raise error
            await asyncio.sleep(PAUSE_SECONDS)

    def _providers(self) -> dict[str, str]:
        return {name: known.policy.name for name, known in sorted(self._book.by_provider.items())}

    async def _changed(self, providers: Mapping[str, str]) -> None:
        """Return once the policies name others: they are read by another task, which nobody tells us of."""
        while self._providers() == providers:  # noqa: ASYNC110
            await asyncio.sleep(PAUSE_SECONDS)

    async def _hear(self, topics: Sequence[str], wait_ms: int) -> None:
        """Read accounts, or quarantines; of many silent partitions the broker is asked seldom."""
        consumer = self._consumer(wait_ms)
        try:
            places = await self._opened(consumer, topics)
            consumer.assign(places)
            for place, offset in (await self._starts(consumer, places)).items():
                consumer.seek(place, offset)
            while places:
                fetched = await consumer.getmany(timeout_ms=500, max_records=AT_ONCE)
                self._take({place: [(one.offset, one.value) for one in many] for place, many in fetched.items()})
                await asyncio.sleep(GATHERED_SECONDS)
        finally:
            await consumer.stop()

    def _take(self, fetched: Mapping[TopicPartition, Sequence[tuple[int, bytes | None]]]) -> None:
        entries: list[Entry] = []
        aside: list[SetAside] = []
        for place, records in fetched.items():
            for _, value in records:
                try:
                    if place.topic in AUDITS:
                        entries.append(read_entry(value or b""))
                    else:
                        aside.append(read_aside(value or b""))
                except Unreadable:
                    self._model.refused += 1
            self._offsets[place.topic, place.partition] = records[-1][0] + 1
        if entries or aside:
            self._model.hear(entries, aside, time.time())

    async def _look(self, providers: Sequence[str]) -> None:
        """See where topics end, again and again; no record of theirs is asked for."""
        consumer = self._consumer(500)
        try:
            places = await self._opened(consumer, watched_topics(providers))
            beginnings: Mapping[TopicPartition, int] = {}
            due = 0.0
            while places:
                if time.monotonic() >= due:
                    beginnings, due = await consumer.beginning_offsets(places), time.monotonic() + BEGINNINGS_SECONDS
                ends = await consumer.end_offsets(places)
                self._model.look(
                    {(tp.topic, tp.partition): (beginnings[tp], end) for tp, end in ends.items()}, time.time()
                )
                self.answered = time.monotonic()
                await asyncio.sleep(self._look_seconds)
        finally:
            await consumer.stop()

    async def _keep(self) -> None:
        """Put on disk what was counted, with the offsets it was counted up to."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            self.write()

    def write(self) -> None:
        cells, paces = self._model.take_unwritten()
        model, now = self._model, int(time.time())
        self._history.write(self._offsets, cells, paces, model.watching.positions, model.flight)
        if now % HOUR < WRITE_SECONDS:
            self._history.forget(now // HOUR, now // MINUTE)

    def _consumer(self, wait_ms: int) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
            enable_auto_commit=False, fetch_max_wait_ms=wait_ms, fetch_max_bytes=8 << 20,
        )  # fmt: skip

    async def _opened(self, consumer: AIOKafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
        """Start the client, and let it learn of these topics at once: by itself it asks for one after another."""
        await consumer.start()
        places = await self._places(topics)
        await consumer._client.set_topics({place.topic for place in places})  # noqa: SLF001  # there is no public way
        return places

    async def _places(self, topics: Sequence[str]) -> list[TopicPartition]:
        """Every partition of those topics that are there yet."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        try:
            await admin.start()
            described = await admin.describe_topics(list(topics))
        finally:
            await admin.close()
        return [
            TopicPartition(topic["topic"], number)
            for topic in described
            if not topic["error_code"]
            for number in sorted(one["partition"] for one in topic["partitions"])
        ]

    async def _starts(
        self, consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]
    ) -> dict[TopicPartition, int]:  # fmt: skip
        """Where it was left off; for a new console, an hour back and some entries at least."""
        known = {
            tp: self._offsets[tp.topic, tp.partition] for tp in places if (tp.topic, tp.partition) in self._offsets
        }
        fresh = [tp for tp in places if tp not in known]
        if fresh:
            since = int(time.time() * 1000) - LOOK_BACK_MS
            found = await consumer.offsets_for_times(dict.fromkeys(fresh, since))
            begins, ends = await consumer.beginning_offsets(fresh), await consumer.end_offsets(fresh)
            for tp in fresh:
                early = max(begins[tp], ends[tp] - LOOK_BACK_RECORDS)
                at = found.get(tp)
                known[tp] = min(early, at.offset) if at else early
        return known
