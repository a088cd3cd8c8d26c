import pytest

from ops.broker.configuration import (
    Node,
    broker_command,
    check_extra,
    format_command,
    java_options,
    last_error_kind,
    parse_bootstrap,
    render_properties,
)
from ops.broker.errors import BrokerError
from ops.broker.lock import Jar, parse_lock, render_lock
from services.contract.errors import WrongSettings

DIGEST = "0123456789abcdef" * 4

RENDERED = """\
advertised.listeners=CLIENTS://127.0.0.1:20001
auto.create.topics.enable=false
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=3000
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:20002
default.replication.factor=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
inter.broker.listener.name=CLIENTS
listener.security.protocol.map=CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT
listeners=CLIENTS://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002
log.cleaner.dedupe.buffer.size=16777216
log.cleaner.enable=true
log.dirs=data
message.max.bytes=1048588
min.insync.replicas=1
node.id=1
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
process.roles=broker,controller
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
transaction.max.timeout.ms=900000
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
"""


def test_node_is_rendered_with_every_single_node_setting() -> None:
    text = render_properties(Node(20001, 20002, "data"))

    assert text == RENDERED


def test_extra_property_is_added_and_wins_over_a_default() -> None:
    node = Node(20001, 20002, "data", {"message.max.bytes": "2097152", "log.cleaner.backoff.ms": "100"})

    lines = render_properties(node).splitlines()

    assert "message.max.bytes=2097152" in lines
    assert "log.cleaner.backoff.ms=100" in lines
    assert "message.max.bytes=1048588" not in lines


@pytest.mark.parametrize(
    ("value", "rendered"),
    [
        pytest.param("C:\\data", "C:\\\\data", id="backslash doubled"),
        pytest.param(" leading", "\\ leading", id="leading blank kept"),
        pytest.param("a=b:c#d", "a=b:c#d", id="separators inside a value need nothing"),
    ],
)
def test_value_is_escaped_as_java_reads_properties(value: str, rendered: str) -> None:
    lines = render_properties(Node(20001, 20002, "data", {"some.name": value})).splitlines()

    assert f"some.name={rendered}" in lines


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param({"listeners": "PLAINTEXT://:9092"}, id="listeners are ours"),
        pytest.param({"log.dirs": "elsewhere"}, id="so is the folder"),
        pytest.param({"node.id": "7"}, id="and the node"),
        pytest.param({"bad name": "1"}, id="blank in a name"),
        pytest.param({"": "1"}, id="no name"),
        pytest.param({"a.b": "1\nlisteners=x"}, id="a second property smuggled in a value"),
    ],
)
def test_property_that_would_break_the_broker_is_refused(extra: dict[str, str]) -> None:
    with pytest.raises(WrongSettings):
        check_extra(extra)


def test_refusal_of_a_property_does_not_quote_its_value() -> None:
    with pytest.raises(WrongSettings) as refused:
        check_extra({"sasl.jaas.config": "secret-of-nobody\n"})

    assert str(refused.value) == "sasl.jaas.config: a line break in the value"


def test_virtual_machine_gets_its_heap_and_keeps_natives_in_the_scratch_folder() -> None:
    options = java_options(256, "scratch", None)

    assert "-Xmx256m" in options
    assert "-Djava.io.tmpdir=scratch" in options
    assert not any("AOT" in option for option in options)


def test_trained_cache_is_used_where_there_is_one() -> None:
    assert "-XX:AOTCache=kafka.aot" in java_options(256, "scratch", "kafka.aot")


def test_heap_too_small_for_kafka_is_refused() -> None:
    with pytest.raises(WrongSettings, match="at least 128 MB"):
        java_options(64, "scratch", None)


def test_broker_runs_on_all_jars() -> None:
    command = broker_command("java", ("a.jar", "b.jar"), ("-Xmx1g",), "server.properties")

    assert command == ("java", "-Xmx1g", "-cp", "a.jar:b.jar", "kafka.Kafka", "server.properties")


def test_folder_is_formatted_by_kafkas_own_tool() -> None:
    command = format_command("java", ("a.jar",), "Uve2pNDURg6ESFeZ1r6ynw", "server.properties", ("--ignore-formatted",))

    assert command[-7:] == (
        "kafka.tools.StorageTool",
        "format",
        "--cluster-id",
        "Uve2pNDURg6ESFeZ1r6ynw",
        "--config",
        "server.properties",
        "--ignore-formatted",
    )


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        pytest.param("kafka.example.test:9092", ("kafka.example.test:9092",), id="one"),
        pytest.param("a:9092, b:9093", ("a:9092", "b:9093"), id="two, with a blank"),
        pytest.param("[::1]:9092", ("[::1]:9092",), id="IPv6"),
    ],
)
def test_bootstrap_is_a_list_of_addresses(text: str, addresses: tuple[str, ...]) -> None:
    assert parse_bootstrap(text) == addresses


@pytest.mark.parametrize(
    ("text", "position"),
    [
        pytest.param("kafka", 1, id="no port"),
        pytest.param("a:9092,", 2, id="trailing comma"),
        pytest.param("a:0", 1, id="port zero"),
        pytest.param("a:65536", 1, id="port too large"),
        pytest.param("PLAINTEXT://a:9092", 1, id="a listener, not an address"),
        pytest.param("a:9092;b:9092", 1, id="semicolon"),
    ],
)
def test_malformed_bootstrap_is_refused_by_position(text: str, position: int) -> None:
    with pytest.raises(WrongSettings, match=f"KAFKA_BOOTSTRAP, address {position}: "):
        parse_bootstrap(text)


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        pytest.param("INFO started\n", "no exception logged", id="none"),
        pytest.param(
            "ERROR x\norg.apache.kafka.common.KafkaException: Socket server failed to bind to 127.0.0.1:1\n"
            "Caused by: java.net.BindException: Address already in use\n",
            "java.net.BindException",
            id="the cause comes last",
        ),
        pytest.param("java.lang.OutOfMemoryError: Java heap space", "java.lang.OutOfMemoryError", id="an Error"),
    ],
)
def test_last_error_of_a_log_is_named_by_its_kind_only(log: str, kind: str) -> None:
    assert last_error_kind(log) == kind


def test_lock_names_each_jar_and_its_only_digest() -> None:
    lock = parse_lock(f"{DIGEST}  org.example:some_2.13:4.3.1\n")

    assert lock == (Jar(DIGEST, "org.example", "some_2.13", "4.3.1"),)
    assert lock[0].filename == "some_2.13-4.3.1.jar"


def test_lock_is_rendered_in_the_order_of_coordinates() -> None:
    jars = (Jar(DIGEST, "org.b", "b", "2"), Jar(DIGEST, "org.a", "a", "1"))

    assert render_lock(jars) == f"{DIGEST}  org.a:a:1\n{DIGEST}  org.b:b:2\n"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("org.a:a:1", id="no digest"),
        pytest.param("00  org.a:a:1", id="short digest"),
        pytest.param(f"{DIGEST}  org.a:../a:1", id="a path in a name"),
        pytest.param("", id="empty line"),
    ],
)
def test_broken_lock_line_is_refused_by_number(line: str) -> None:
    with pytest.raises(BrokerError, match=r"jars\.lock, line 2"):
        parse_lock(f"{DIGEST}  org.a:a:1\n{line}\n")
