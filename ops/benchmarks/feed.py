"""Input for services that run already: sent out of sight and shown at one instant, or published by the clock."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from confluent_kafka import Producer

from ops.benchmarks.households import Message
from ops.benchmarks.pacing import due
from services.contract.errors import Unreachable

SETTLE_SECONDS = 300.0
PAUSE_SECONDS = 0.002
LINGER_MS = 5
"""As the client does by itself. What is published is measured from its acknowledgement on."""


class Hidden:
    """One transaction: readers of committed records see all of it once it is shown, and nothing before.

    Who is measured is thereby up and idle when the input comes, and shares no core with whoever makes it.
    """

    def __init__(self, bootstrap: str) -> None:
        self._producer = _producer(bootstrap, {"transactional.id": "bench-feed", "transaction.timeout.ms": 900_000})
        self._producer.init_transactions(SETTLE_SECONDS)
        self._producer.begin_transaction()

    def send(self, topic: str, messages: Iterable[Message]) -> None:
        for message in messages:
            self._produce(topic, message)
        if self._producer.flush(SETTLE_SECONDS):
            raise Unreachable("Kafka did not take the whole input")

    def show(self) -> float:
        """When, on the monotonic clock."""
        at = time.monotonic()
        self._producer.commit_transaction(SETTLE_SECONDS)
        return at

    def _produce(self, topic: str, message: Message) -> None:
        while True:
            try:
                self._producer.produce(topic, message.value, message.key, message.partition, headers=message.headers)
            except BufferError:
                self._producer.poll(PAUSE_SECONDS)
            else:
                self._producer.poll(0)
                return


@dataclass(slots=True)
class Paced:
    """Publishes so many messages a second, each when it is due, whatever became of those before."""

    bootstrap: str
    topic: str
    rate: float
    acknowledged: dict[int, float] = field(default_factory=dict)
    """Number of the message → when Kafka had it, on the monotonic clock."""

    def publish(self, messages: Sequence[Message], go_on: Callable[[], bool] = lambda: True) -> None:
        """Return once all are acknowledged, or those until `go_on` said no."""
        producer = _producer(self.bootstrap, {"linger.ms": LINGER_MS})
        began, sent = time.monotonic(), 0
        while sent < len(messages) and go_on():
            until = min(len(messages), due(self.rate, time.monotonic() - began))
            for number in range(sent, until):
                message = messages[number]
                producer.produce(
                    self.topic, message.value, message.key, message.partition, headers=message.headers,
                    on_delivery=partial(self._acknowledge, number),
                )  # fmt: skip
            sent = until
            producer.poll(PAUSE_SECONDS)
        if producer.flush(SETTLE_SECONDS) or len(self.acknowledged) != sent:
            raise Unreachable("Kafka did not acknowledge what was published")

    def _acknowledge(self, number: int, error: object, _message: object) -> None:
        if error is None:
            self.acknowledged[number] = time.monotonic()


def _producer(bootstrap: str, own: dict[str, Any]) -> Producer:
    common = {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20, "batch.size": 1 << 20,
              "log_level": 0}  # fmt: skip
    return Producer(common | own)
