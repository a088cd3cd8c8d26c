"""The broker as the benchmark sees it: topics made and dropped, the input sent, the outputs watched and read back.

What is visible is asked for, not consumed: the last stable offsets cost one small request, where a consumer would
take a core from whoever is measured. The offsets of the records themselves, read back afterwards, then say how many
of them each answer stood for; a transaction's markers have offsets too, and are none.
"""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from ops.benchmarks.comparing import Naming, Output, digest_of
from ops.benchmarks.schools import Emission
from services.contract.errors import Unreachable

ANSWER_SECONDS = 30.0
READ_BATCH, READ_SECONDS = 10_000, 0.1
LOOK_SECONDS = 0.05
TRANSACTION_MS = 300_000

Place = tuple[str, int]
"""Topic and partition."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """One broker, and the partition count of every topic that is measured."""

    bootstrap: str
    partitions: int
    _admin: AdminClient

    @classmethod
    def at(cls, bootstrap: str, partitions: int) -> Self:
        return cls(bootstrap, partitions, AdminClient({"bootstrap.servers": bootstrap, "log_level": 0}))

    def places(self, topics: Iterable[str]) -> list[Place]:
        return [(topic, number) for topic in topics for number in range(self.partitions)]

    def make(self, topics: Iterable[str]) -> None:
        wanted = [NewTopic(name, num_partitions=self.partitions, replication_factor=1) for name in topics]
        for made in self._admin.create_topics(wanted, operation_timeout=ANSWER_SECONDS).values():
            made.result(ANSWER_SECONDS)

    def await_leaders(self, topics: Iterable[str]) -> None:
        """Return once every partition answers: a topic is listed a moment before it can be read."""
        places = self.places(topics)
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            try:
                self.ends(places)
            except KafkaException as error:
                if time.monotonic() > deadline:
                    kind = error.args[0].name()
                    raise Unreachable(f"Kafka did not open the topics of this run ({kind})") from None
                # The client keeps what it has heard of a topic that was not there yet: let it ask again.
                self.topics()
                time.sleep(LOOK_SECONDS)
            else:
                return

    def drop(self, topics: Iterable[str]) -> None:
        """Return once none of them is there any more; harmless for what was not there."""
        named = list(topics)
        if not named:
            return
        for dropped in self._admin.delete_topics(named, operation_timeout=ANSWER_SECONDS).values():
            with suppress(KafkaException):
                dropped.result(ANSWER_SECONDS)
        deadline = time.monotonic() + ANSWER_SECONDS
        while set(named) & self.topics():
            if time.monotonic() > deadline:
                raise Unreachable("Kafka did not drop the topics of the last run")
            time.sleep(LOOK_SECONDS)

    def drop_group(self, group: str) -> bool:
        """Forget the group's commits, if it has any and nobody is in it; says whether it is gone."""
        (dropped,) = self._admin.delete_consumer_groups([group]).values()
        try:
            dropped.result(ANSWER_SECONDS)
        except KafkaException as error:
            return bool(error.args[0].code() == KafkaError.GROUP_ID_NOT_FOUND)
        return True

    def topics(self) -> set[str]:
        return set(self._admin.list_topics(timeout=ANSWER_SECONDS).topics)

    def send(self, topic: str, emissions: Iterable[Emission]) -> None:
        """Preload the input, acknowledged by the time this returns."""
        producer = Producer(self._producing())
        _produce(producer, topic, emissions)
        if producer.flush(10 * ANSWER_SECONDS):
            raise Unreachable("Kafka did not take the whole input")

    def send_at_once(self, topic: str, emissions: Iterable[Emission]) -> None:
        """One transaction: who reads what is committed sees nothing of it, and then all of it."""
        producer = Producer({**self._producing(), "transactional.id": f"bench-{uuid.uuid4()}",
                             "transaction.timeout.ms": TRANSACTION_MS})  # fmt: skip
        producer.init_transactions(ANSWER_SECONDS)
        producer.begin_transaction()
        _produce(producer, topic, emissions)
        producer.commit_transaction(10 * ANSWER_SECONDS)

    def _producing(self) -> dict[str, str | int | bool]:
        return {
            "bootstrap.servers": self.bootstrap,
            "enable.idempotence": True,
            "linger.ms": 20,
            "batch.size": 1 << 20,
            "queue.buffering.max.messages": 2_000_000,
            "queue.buffering.max.kbytes": 2_000_000,
        }

    def ends(self, places: Sequence[Place]) -> dict[Place, int]:
        """Where a reader of committed records would have to stop now."""
        asked = {TopicPartition(topic, number): OffsetSpec.latest() for topic, number in places}
        answers = self._admin.list_offsets(asked, isolation_level=IsolationLevel.READ_COMMITTED)
        return {(tp.topic, tp.partition): answer.result(ANSWER_SECONDS).offset for tp, answer in answers.items()}

    def outputs(self, topics: Mapping[str, str], naming: Naming = digest_of) -> list[Output]:
        """Every committed record of these topics (provider → topic) up to now: its place and what names its bytes."""
        providers = {topic: provider for provider, topic in topics.items()}
        found = []
        for message in self.records(providers):
            topic = str(message.topic())
            headers: Any = message.headers()  # asked for as it was written: a list
            digest = naming(providers[topic], message.key(), headers, message.value())
            found.append(Output(topic, int(message.partition() or 0), int(message.offset() or 0), digest))
        return found

    def records(self, topics: Iterable[str]) -> Iterator[Message]:
        """Every committed record of these topics up to now, each partition in its order."""
        ends = {place: end for place, end in self.ends(self.places(topics)).items() if end}
        reader = Consumer(
            {
                "bootstrap.servers": self.bootstrap,
                "group.id": "bench-read-back",
                "enable.auto.commit": False,
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
                "auto.offset.reset": "earliest",
                "fetch.message.max.bytes": 4 << 20,
            }
        )
        reader.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for topic, number in ends])
        deadline = time.monotonic() + 10 * ANSWER_SECONDS
        while ends:
            for message in reader.consume(READ_BATCH, timeout=READ_SECONDS):
                if message.error():
                    # The only one that comes here: nothing more in this partition.
                    ends.pop((str(message.topic()), int(message.partition() or 0)), None)
                else:
                    yield message
            if time.monotonic() > deadline:
                raise Unreachable("Kafka did not hand back the outputs")
        reader.close()


def _produce(producer: Producer, topic: str, emissions: Iterable[Emission]) -> None:
    for emission in emissions:
        producer.produce(topic, emission.value, emission.key, emission.partition)
        producer.poll(0)
