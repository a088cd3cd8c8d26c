"""The traps of Faust and its Kafka client (decisions/0005) that show on a real broker, and our answer to each.

The others are in tests/unit/test_traps.py. Each test fails if the answer is taken away.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from aiokafka.errors import MessageSizeTooLargeError, ProducerFenced
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient

from ops.broker.embedded import EmbeddedBroker
from services.runtime.outbox import Outbox
from services.runtime.partition import Partition, open_partition
from services.runtime.producing import fenced_producer
from services.runtime.sender import Sender
from services.runtime.settings import Settings
from tests.integration.pipeline_people import joins, policies
from tests.integration.pipeline_stages import Stages, installation, wait_for
from tests.unit.stand_in_agent import StandIn

pytestmark = pytest.mark.broker

EX_SOFTWARE = 70
SMALL = 1000


class Topics:
    """A stage of its own: a changelog, an output, and one that takes small records only."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.bootstrap, self.folder = bootstrap, folder
        self.agent = StandIn()
        self.out, self.narrow, self.agent.changelog = (f"{kind}.{uuid4()}" for kind in ("out", "narrow", "state"))
        self.agent.group = self.agent.changelog
        one = {"num_partitions": 1, "replication_factor": 1}
        with KafkaAdminClient(bootstrap_servers=bootstrap) as admin:
            admin.create_topics(
                {
                    self.out: one,
                    self.narrow: one | {"configs": {"max.message.bytes": str(SMALL)}},
                    self.agent.changelog: one | {"configs": {"cleanup.policy": "compact"}},
                }
            )

    def settings(self, worker: str) -> Settings:
        return Settings(KAFKA_BOOTSTRAP=self.bootstrap, work_folder=self.folder / worker)

    async def open(self, worker: str = "first") -> Partition:
        return await open_partition(self.agent, self.settings(worker), Sender(), 0)

    def outbox(self, partition: Partition, value: bytes) -> Outbox:
        made = Outbox("filtering", 0, partition.state, 0)
        made.send(self.out, b"k", value)
        made.put(b"k", value)
        return made

    def values(self, topic: str) -> list[bytes]:
        """What there is for whoever reads only what is committed."""
        with KafkaConsumer(bootstrap_servers=self.bootstrap, isolation_level="read_committed") as consumer:
            tp = TopicPartition(topic, 0)
            consumer.assign([tp])
            consumer.seek_to_beginning(tp)
            end, found = consumer.end_offsets([tp])[tp], []
            while consumer.position(tp) < end:
                found += [record.value for record in consumer.poll(timeout_ms=100).get(tp, ())]
            return found


@pytest.fixture
def topics(bootstrap: str, tmp_path: Path) -> Topics:
    return Topics(bootstrap, tmp_path)


async def test_trap_02_a_delivery_that_fails_is_raised_and_leaves_neither_position_nor_output(topics: Topics) -> None:
    partition = await topics.open()
    outbox = topics.outbox(partition, b"before")
    outbox.send(topics.narrow, b"k", b"x" * 2 * SMALL)
    with pytest.raises(MessageSizeTooLargeError):
        await partition.commit(outbox, {"in": 1})

    assert partition.state.next_offset("in") is None
    await partition.close()
    again = await topics.open()
    assert again.state.next_offset("in") is None
    assert [topics.values(topic) for topic in (topics.out, topics.narrow)] == [[], []]
    await again.close()


@pytest.mark.parametrize("frozen", ["between-two-batches", "in-a-transaction"])
async def test_trap_05_a_zombie_is_fenced_and_leaves_nothing(topics: Topics, frozen: str) -> None:
    zombie = await topics.open("first")
    await zombie.commit(topics.outbox(zombie, b"one"), {"in": 1})
    if frozen == "in-a-transaction":
        await zombie.sender.run(_begin(zombie, topics.out))
    heir = await topics.open("second")
    await heir.commit(topics.outbox(heir, b"two"), {"in": 2})
    going_on = (
        zombie.sender.run(zombie.producer.commit_transaction())
        if frozen == "in-a-transaction"
        else zombie.commit(topics.outbox(zombie, b"late"), {"in": 3})
    )
    with pytest.raises(ProducerFenced):
        await going_on

    assert topics.values(topics.out) == [b"one", b"two"]
    assert heir.state.next_offset("in") == 2
    assert zombie.state.next_offset("in") == 1
    for partition in (zombie, heir):
        await partition.close()


async def _begin(partition: Partition, topic: str) -> None:
    await partition.producer.begin_transaction()
    await partition.producer.send_and_wait(topic, b"half", partition=0)


async def test_trap_08_a_state_is_whole_before_the_partition_is_open(topics: Topics) -> None:
    partition = await topics.open()
    for number in range(50):
        outbox = topics.outbox(partition, b"%d" % number)
        outbox.put(b"k/%d" % number, b"there")
        outbox.put(b"k/%d" % (number - 1), None)
        await partition.commit(outbox, {"in": number + 1})
    await partition.close()
    shutil.rmtree(topics.settings("first").work_folder)
    again = await topics.open()

    assert list(again.state.scan(b"k", None)) == [(b"k", b"49"), (b"k/49", b"there")]
    assert again.position == {"in": 50}
    await again.close()


async def test_trap_10_a_producer_is_transactional_and_gives_up_within_30_seconds(topics: Topics) -> None:
    producer = await fenced_producer(topics.agent.group, topics.settings("first"), 0)
    try:
        manager = producer._txn_manager
        assert manager is not None
        assert manager.transactional_id == f"{topics.agent.group}-0"
        assert producer._sender._acks == -1
        assert producer._request_timeout_ms == 30_000
    finally:
        await producer.stop()


@pytest.fixture
def stages(own_broker: EmbeddedBroker, tmp_path: Path) -> Iterator[Stages]:
    environment = {"SANCTUAIRE_SILENT_SECONDS": "5"}
    with installation(own_broker.bootstrap, tmp_path, ("gar",), environment=environment) as made:
        made.publish(message for message in policies() if message[1] == b"gar")
        yield made


def test_trap_06_who_hears_nothing_from_the_broker_ends_and_goes_on_at_the_next_start(
    own_broker: EmbeddedBroker, stages: Stages
) -> None:
    stages.start("filtering")
    assert wait_for(lambda: stages.holds("filtering") == stages.partitions)
    own_broker.pause()
    try:
        assert wait_for(lambda: stages.running["filtering"].poll() is not None, 30)
    finally:
        own_broker.resume()

    assert stages.revive() == [EX_SOFTWARE]
    assert [line["kind"] for line in stages.log("filtering") if line["event"] == "failed"] == ["silent"]
    stages.publish([joins(1)])
    assert wait_for(lambda: len(stages.rows("provisioning.releases.v1")) == 1)
