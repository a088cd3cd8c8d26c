"""Changes under their pinned keys: what `directory.identifiers.v1` remembers is read whole, and followed (0002)."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from services.contract.changes import Change, Identifier
from services.contract.consents import ConsentDecision
from services.contract.errors import Unreachable, Unreadable
from services.contract.topology import IDENTIFIERS
from services.ingress.delivery import Delivery
from services.ingress.events import change_event, identifier_event
from services.ingress.identifiers import Identifiers, parse_identifier
from services.runtime import journal

AGAIN_SECONDS: Final = 2.0


class Directory:
    """Publishes changes, each after the identifier that it teaches is durable; one body at a time."""

    def __init__(self, bootstrap: str, delivery: Delivery) -> None:
        self._bootstrap = bootstrap
        self._delivery = delivery
        self._known = Identifiers()
        self._turn = asyncio.Lock()
        self.read = asyncio.Event()
        """Set once all that was published before is known; until then a person could become two."""

    def addressed(self, decision: ConsentDecision) -> ConsentDecision | None:
        """The decision under its person's key; null where that is not known before the topic is read."""
        if ":" not in decision.subject:
            return decision
        return self._known.addressed(decision) if self.read.is_set() else None

    async def publish(self, changes: Sequence[Change]) -> None:
        """Return once identifiers and changes are acknowledged; raise Unreachable where some are not."""
        if not self.read.is_set():
            raise Unreachable(f"{IDENTIFIERS} is not read yet")
        async with self._turn:
            learnt: list[Identifier] = []
            try:
                events = [change_event(change, self._key_of(change, learnt)) for change in changes]
                await self._delivery.deliver([identifier_event(identifier) for identifier in learnt])
                await self._delivery.deliver(events)
            except BaseException:
                # It may be on the topic nevertheless: then the reader learns it from there.
                for identifier in learnt:
                    self._known.forget(identifier)
                raise

    def _key_of(self, change: Change, learnt: list[Identifier]) -> str:
        if (identifier := self._known.learn(change)) is not None:
            learnt.append(identifier)
        return self._known.key_of(change)

    async def follow(self) -> None:
        """Read the topic, and again from its beginning after a failure; until cancelled.

        While a record of it cannot be read, no change is taken: without it, a person could become two.
        """
        while True:
            try:
                with suppress(KafkaError, OSError):
                    await self._read()
            except Unreadable as error:
                self.read.clear()
                journal.emit(journal.FAILED, stage="ingress", kind=error.code, where=IDENTIFIERS)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap, isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="earliest", fetch_max_wait_ms=100,
        )  # fmt: skip
        partition = TopicPartition(IDENTIFIERS, 0)
        consumer.assign([partition])
        await consumer.start()
        try:
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            while True:
                if await consumer.position(partition) >= end:
                    self.read.set()
                for record in (await consumer.getmany(partition, timeout_ms=200)).get(partition, ()):
                    if record.value is not None:
                        self._known.remember(parse_identifier(record.key, record.value))
        finally:
            await consumer.stop()
