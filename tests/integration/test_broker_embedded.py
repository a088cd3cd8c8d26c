import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.errors import KafkaError

from ops.broker.embedded import EmbeddedBroker
from ops.broker.errors import BrokerError
from ops.broker.existing import bootstrap_or_embedded
from ops.broker.jars import default_cache, installed_jars, kafka_folder
from ops.broker.ports import free_ports
from ops.broker.training import prepare
from services.contract.errors import Unreachable, WrongSettings
from tests.integration.processes import is_alive

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[2]
PARENT = """
import sys
from ops.broker.embedded import EmbeddedBroker
broker = EmbeddedBroker(heap_mb=256)
broker.start()
print(broker.pid, broker.log_path.parent, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def broker() -> Iterator[EmbeddedBroker]:
    with EmbeddedBroker(heap_mb=256) as started:
        yield started


def wait_for(condition: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def topics(bootstrap: str) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    found = set(admin.list_topics())
    admin.close()
    return found


def create_topic(bootstrap: str, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)
    admin.close()


def produce(bootstrap: str, topic: str, *values: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    for sent in [producer.send(topic, value) for value in values]:
        sent.get(timeout=10)
    producer.close()


def consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", consumer_timeout_ms=10_000
    )
    found = [record.value for _, record in zip(range(count), consumer, strict=False)]
    consumer.close()
    return found


def test_what_is_produced_is_consumed(broker: EmbeddedBroker) -> None:
    create_topic(broker.bootstrap, "round")
    produce(broker.bootstrap, "round", b"one", b"two")

    assert consume(broker.bootstrap, "round", 2) == [b"one", b"two"]


def test_unknown_topic_is_not_made_by_producing_to_it(broker: EmbeddedBroker) -> None:
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, max_block_ms=1_000)
    with pytest.raises(KafkaError):
        producer.send("never-created", b"lost").get(timeout=5)
    producer.close()

    assert "never-created" not in topics(broker.bootstrap)


def test_broker_listens_on_the_loopback_interface_only(broker: EmbeddedBroker) -> None:
    host, port = broker.bootstrap.split(":")

    assert host == "127.0.0.1"
    with socket.socket() as elsewhere:
        elsewhere.bind(("127.0.0.2", int(port)))


def test_second_broker_is_a_cluster_of_its_own(broker: EmbeddedBroker) -> None:
    create_topic(broker.bootstrap, "first-only")
    with EmbeddedBroker(heap_mb=256) as other:
        assert other.bootstrap != broker.bootstrap
        assert "first-only" not in topics(other.bootstrap)


def test_port_taken_in_between_is_given_up_for_another(broker: EmbeddedBroker) -> None:
    taken = int(broker.bootstrap.rpartition(":")[2])
    offers = iter([(taken, free_ports(1)[0]), free_ports(2)])
    with EmbeddedBroker(heap_mb=256, ports=lambda _count: next(offers)) as other:
        assert other.bootstrap != broker.bootstrap


def test_start_takes_less_than_fifteen_seconds_and_the_folder_goes_at_the_end() -> None:
    before = time.monotonic()
    with EmbeddedBroker(heap_mb=256) as started:
        taken = time.monotonic() - before
        pid, folder = started.pid, started.log_path.parent

    assert taken < 15
    assert not is_alive(pid)
    assert not folder.exists()


def test_killed_broker_comes_back_with_its_data_on_the_same_port(tmp_path: Path) -> None:
    with EmbeddedBroker(heap_mb=256, data_dir=tmp_path) as started:
        address, pid = started.bootstrap, started.pid
        create_topic(address, "kept")
        produce(address, "kept", b"before")
        started.kill()
        assert not is_alive(pid)
        started.restart()

        assert started.bootstrap == address
        assert started.pid != pid
        assert consume(address, "kept", 1) == [b"before"]


def test_kept_folder_serves_a_later_broker(tmp_path: Path) -> None:
    with EmbeddedBroker(heap_mb=256, data_dir=tmp_path) as first:
        create_topic(first.bootstrap, "kept")
    with EmbeddedBroker(heap_mb=256, data_dir=tmp_path) as second:
        assert "kept" in topics(second.bootstrap)


def test_paused_broker_answers_again_after_it_is_resumed(broker: EmbeddedBroker) -> None:
    create_topic(broker.bootstrap, "paused")
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    producer.send("paused", b"warm").get(timeout=10)
    broker.pause()
    sent = producer.send("paused", b"later")
    assert not wait_for(lambda: bool(sent.is_done), 0.3)
    broker.resume()
    sent.get(timeout=30)
    producer.close()

    assert consume(broker.bootstrap, "paused", 2) == [b"warm", b"later"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_broker_and_its_folder_go_with_their_parent(number: signal.Signals) -> None:
    command = (sys.executable, "-c", PARENT)
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid, folder = parent.stdout.readline().split()
        os.kill(parent.pid, number)
        parent.wait()

        assert wait_for(lambda: not is_alive(int(pid)))
        assert wait_for(lambda: not Path(folder).exists())


def test_trained_broker_starts_from_its_cache_without_a_complaint(tmp_path: Path) -> None:
    folder = kafka_folder(tmp_path)
    folder.mkdir()
    for jar in installed_jars(default_cache()):
        shutil.copy2(jar, folder)
    assert prepare(tmp_path) == folder
    with EmbeddedBroker(heap_mb=256, cache=tmp_path) as trained:
        mapped = Path(f"/proc/{trained.pid}/maps").read_text("utf-8")

        assert ".aot" in mapped
        assert "[aot" not in trained.log_path.read_text("utf-8")


@pytest.mark.parametrize("which", [0, 1], ids=["broker's", "controller's"])
def test_port_held_by_something_that_is_not_kafka_is_given_up(which: int) -> None:
    ports = free_ports(2)
    offers = iter([ports, free_ports(2)])
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", ports[which]))
        squatter.listen()
        with EmbeddedBroker(heap_mb=256, ports=lambda _count: next(offers)) as started:
            assert int(started.bootstrap.rpartition(":")[2]) not in ports


def test_broker_that_cannot_start_names_its_log_and_the_kind_of_error(tmp_path: Path) -> None:
    log = tmp_path / "broker.log"
    with pytest.raises(BrokerError, match=r"ConfigException\); see .*broker\.log"):
        EmbeddedBroker(heap_mb=256, properties={"num.network.threads": "none"}, log_to=log).start()

    assert "num.network.threads" in log.read_text("utf-8")


def test_broker_that_is_not_started_says_so() -> None:
    with pytest.raises(BrokerError, match="not running"):
        EmbeddedBroker().kill()


def test_existing_cluster_is_used_where_the_environment_names_it(broker: EmbeddedBroker) -> None:
    def never() -> EmbeddedBroker:
        pytest.fail("an embedded broker was asked for")

    with bootstrap_or_embedded(never, environment={"KAFKA_BOOTSTRAP": broker.bootstrap}) as bootstrap:
        assert bootstrap == broker.bootstrap


def test_embedded_broker_is_used_where_the_environment_names_none() -> None:
    with bootstrap_or_embedded(lambda: EmbeddedBroker(heap_mb=256), environment={}) as bootstrap:
        assert topics(bootstrap) == set()


def test_existing_cluster_that_does_not_answer_is_unreachable() -> None:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    with (
        pytest.raises(Unreachable, match=r"no Kafka cluster answered at KAFKA_BOOTSTRAP within 0 s") as unreachable,
        bootstrap_or_embedded(environment={"KAFKA_BOOTSTRAP": address}, answer_seconds=0.1),
    ):
        pytest.fail("nobody answers there")

    assert address not in str(unreachable.value)


def test_malformed_address_of_an_existing_cluster_is_a_wrong_setting() -> None:
    with (
        pytest.raises(WrongSettings, match="address 1"),
        bootstrap_or_embedded(environment={"KAFKA_BOOTSTRAP": "kafka"}),
    ):
        pytest.fail("that is no address")
