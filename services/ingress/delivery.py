"""What is taken, onto Kafka: acknowledged by all replicas within a bound, or the platform is told to post it again.

The client retries without end, as an idempotent producer must, so the bound is ours. What was answered with a refusal
may therefore still arrive: posted again, it counts once.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.contract.errors import Unreachable
from services.ingress.events import Event, headers_of

ACK_SECONDS: Final = 10.0
SILENT_SECONDS: Final = 15.0
"""A broker that has not answered for so long is sent nothing more: it would only pile up."""
LOOK_SECONDS: Final = 2.0
CLOSE_SECONDS: Final = 5.0


class Delivery:
    """The one producer of the process, kept for as long as it works."""

    def __init__(self, bootstrap: str, ack_seconds: float = ACK_SECONDS) -> None:
        self._bootstrap = bootstrap
        self._ack_seconds = ack_seconds
        self._producer: AIOKafkaProducer | None = None
        self._refused = asyncio.Event()
        self._answered = float("-inf")

    def silent(self) -> bool:
        """Whether the broker has said nothing for so long that it counts as away; asked from any thread."""
        return time.monotonic() - self._answered > SILENT_SECONDS

    async def deliver(self, events: Sequence[Event]) -> None:
        """Return once all of them are acknowledged.

        Raises:
            Unreachable: some of them are not; some may be there, or come to be.
        """
        producer = self._producer
        if producer is None or self.silent():
            raise Unreachable("Kafka does not answer")
        try:
            async with asyncio.timeout(self._ack_seconds):
                sent = [
                    await producer.send(
                        event.topic, event.value, event.key.encode(), headers=headers_of(event.payload, event.value)
                    )
                    for event in events
                ]
                acknowledged = await asyncio.gather(*sent, return_exceptions=True)
        except TimeoutError:
            raise Unreachable("Kafka has not acknowledged in time") from None
        except KafkaError:
            self._refused.set()
            raise Unreachable("Kafka takes nothing") from None
        if any(isinstance(one, BaseException) for one in acknowledged):
            self._refused.set()
            raise Unreachable("Kafka has refused some")
        self._answered = time.monotonic()

    async def keep(self) -> None:
        """Have a producer, look whether the broker answers, and begin anew where it has refused; until cancelled."""
        try:
            while True:
                if self._refused.is_set():
                    await self._let_go()
                await self._look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._refused.wait(), LOOK_SECONDS)
        finally:
            await self._let_go()

    async def _look(self) -> None:
        with suppress(KafkaError, TimeoutError, OSError):
            async with asyncio.timeout(self._ack_seconds):
                if self._producer is None:
                    self._producer = await self._start()
                elif not await self._producer.client.force_metadata_update():
                    return
                self._answered = time.monotonic()

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", enable_idempotence=True, linger_ms=2,
            request_timeout_ms=int(self._ack_seconds * 1000),
        )  # fmt: skip
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    async def _let_go(self) -> None:
        producer, self._producer = self._producer, None
        self._refused.clear()
        if producer is None:
            return
        try:
            await asyncio.wait_for(producer.stop(), CLOSE_SECONDS)
        except (KafkaError, TimeoutError):
            # It waits for acknowledgements that nobody waits for any more.
            producer._sender.sender_task.cancel()  # noqa: SLF001  # aiokafka 0.14 has no public way
            await producer.client.close()
