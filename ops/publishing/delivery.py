"""Records on their way to Kafka, each of which is acknowledged before anything that relies on it is sent."""

from collections import Counter
from contextlib import suppress
from typing import Protocol

from kafka.errors import KafkaError

from services.contract.envelope import Header
from services.contract.errors import Unreachable
from services.ingress.events import Event, headers_of

SETTLE_SECONDS = 30.0
"""As long as the producer tries; after that, what is not acknowledged counts as lost."""


class Acknowledgement(Protocol):
    """What kafka-python gives for a record: done once it is acknowledged, or known to be lost."""

    def succeeded(self) -> bool: ...


class Producer(Protocol):
    """What is used of kafka-python's producer."""

    def send(self, topic: str, value: bytes, key: bytes, headers: list[Header]) -> Acknowledgement: ...
    def flush(self, timeout: float) -> None: ...


class Delivery:
    """Sends, and counts by topic what was acknowledged."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._waiting: list[tuple[str, Acknowledgement]] = []
        self.acknowledged: Counter[str] = Counter()

    def send(self, event: Event) -> None:
        headers = headers_of(event.payload, event.value)
        try:
            sent = self._producer.send(event.topic, event.value, event.key.encode(), headers)
        except KafkaError as error:
            # What was sent before may still arrive: wait, so that the number given is the true one.
            raise self._broken(event.topic, type(error).__name__, self._wait() + 1) from None
        self._waiting.append((event.topic, sent))

    def settle(self) -> None:
        """Wait until all that was sent is acknowledged.

        Raises:
            Unreachable: some of it was not; the message says how much was.
        """
        topic = self._waiting[-1][0] if self._waiting else ""
        if lost := self._wait():
            raise self._broken(topic, "no acknowledgement", lost)

    def _wait(self) -> int:
        """How many of those that were on their way did not arrive."""
        # Each record's own acknowledgement tells.
        with suppress(KafkaError):
            self._producer.flush(SETTLE_SECONDS)
        waiting, self._waiting = self._waiting, []
        arrived = [topic for topic, sent in waiting if sent.succeeded()]
        self.acknowledged.update(arrived)
        return len(waiting) - len(arrived)

    def tally(self) -> str:
        """What is known to have arrived, in words."""
        return ", ".join(f"{count} on {name}" for name, count in sorted(self.acknowledged.items())) or "none"

    def _broken(self, topic: str, kind: str, lost: int) -> Unreachable:
        return Unreachable(
            f"{topic}: Kafka stopped taking records ({kind}); acknowledged: {self.tally()}; not acknowledged: {lost}. "
            "Run the same command again when the cluster is back: what is published twice changes nothing"
        )
