"""What is taken, onto Kafka: acknowledged by all replicas within a bound, or the platform is told to post it again.

The client retries without end (an idempotent producer must), so the bound is ours; a producer that has failed once is
replaced, for what it still holds was answered with a refusal already.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError

from services.contract.errors import Unreachable
from services.ingress.events import Event, headers_of

ACK_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 2.0
CLOSE_SECONDS: Final = 5.0


class Delivery:
    """The one producer of the process, kept for as long as it works."""

    def __init__(self, bootstrap: str, ack_seconds: float = ACK_SECONDS) -> None:
        self._bootstrap = bootstrap
        self._ack_seconds = ack_seconds
        self._producer: AIOKafkaProducer | None = None
        self._failed = asyncio.Event()
        self.answered = float("-inf")
        """When the broker last answered, on the clock that is never set back."""

    async def deliver(self, events: Sequence[Event]) -> None:
        """Return once all of them are acknowledged.

        Raises:
            Unreachable: some of them are not; some may be there, or come to be.
        """
        producer = self._producer
        if producer is None:
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
        except (KafkaError, TimeoutError):
            self._failed.set()
            raise Unreachable("Kafka has not acknowledged in time") from None
        if any(isinstance(one, BaseException) for one in acknowledged):
            self._failed.set()
            raise Unreachable("Kafka has refused")
        self.answered = time.monotonic()

    async def keep(self) -> None:
        """Have a producer, look whether the broker answers, and begin anew after a failure; until cancelled."""
        try:
            while True:
                if self._failed.is_set():
                    await self._let_go()
                await self._look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._failed.wait(), LOOK_SECONDS)
        finally:
            await self._let_go()

    async def _look(self) -> None:
        with suppress(KafkaError, TimeoutError, OSError):
            async with asyncio.timeout(self._ack_seconds):
                if self._producer is None:
                    self._producer = await self._start()
                elif not await self._producer.client.force_metadata_update():
                    return
                self.answered = time.monotonic()

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
        self._failed.clear()
        if producer is not None:
            # Nobody waits for what it holds any more, and it would wait for that without end.
            producer._message_accumulator.fail_all(KafkaTimeoutError())  # noqa: SLF001  # there is no public way
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), CLOSE_SECONDS)
