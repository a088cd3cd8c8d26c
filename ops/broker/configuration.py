"""What the embedded broker is told: its properties and its command line, as pure text.

Reads no clock, opens nothing, starts nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.contract.errors import WrongSettings

LISTENER = "CLIENTS"
CONTROLLER = "CONTROLLER"

# What the process control depends on; everything else may be overridden.
OWNED = frozenset(
    {
        "process.roles",
        "node.id",
        "controller.quorum.voters",
        "controller.listener.names",
        "listeners",
        "advertised.listeners",
        "inter.broker.listener.name",
        "log.dirs",
        "metadata.log.dir",
    }
)

# One node, started often, on a machine with two cores. Durability is Kafka's own: no fsync setting is touched.
SINGLE_NODE: Mapping[str, str] = {
    "listener.security.protocol.map": f"{LISTENER}:PLAINTEXT,{CONTROLLER}:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "min.insync.replicas": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "4",
    "transaction.max.timeout.ms": "900000",
    # A test of a dead producer should not wait for Kafka's ten seconds between two looks.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "message.max.bytes": "1048588",
    "log.cleaner.enable": "true",
    # Kafka's 128 MiB would be a quarter of the default heap.
    "log.cleaner.dedupe.buffer.size": "16777216",
    # After a SIGKILL the next start waits until the controller gives the former registration up.
    "broker.heartbeat.interval.ms": "500",
    "broker.session.timeout.ms": "3000",
}

# The cache keeps loaded classes; Java 25's cached adapters do not match on the next start, and each would be logged.
CLASSES_ONLY = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching")

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_ADDRESS = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True, slots=True)
class Node:
    """One combined broker and controller on the loopback interface."""

    broker_port: int
    controller_port: int
    log_dir: str
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.broker_port}"


def check_extra(extra: Mapping[str, str]) -> None:
    """Refuse what would break the file or the process control.

    Raises:
        WrongSettings: naming the property, never its value.
    """
    for key, value in extra.items():
        if _KEY.fullmatch(key) is None:
            raise WrongSettings("a broker property has a name that Kafka cannot have")
        if key in OWNED:
            raise WrongSettings(f"{key} is set by the embedded broker itself; leave it out")
        if "\n" in value or "\r" in value or "\0" in value:
            raise WrongSettings(f"{key}: a line break in the value")


def render_properties(node: Node) -> str:
    """The text of `server.properties`, one sorted `key=value` a line."""
    check_extra(node.extra)
    own = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{node.controller_port}",
        "controller.listener.names": CONTROLLER,
        "listeners": f"{LISTENER}://{node.bootstrap},{CONTROLLER}://127.0.0.1:{node.controller_port}",
        "advertised.listeners": f"{LISTENER}://{node.bootstrap}",
        "inter.broker.listener.name": LISTENER,
        "log.dirs": node.log_dir,
    }
    settings = {**SINGLE_NODE, **node.extra, **own}
    return "".join(f"{key}={_escape(settings[key])}\n" for key in sorted(settings))


def java_options(heap_mb: int, scratch: str, aot_cache: str | None) -> tuple[str, ...]:
    """The virtual machine's options; `scratch` receives the native libraries that Kafka unpacks.

    The serial collector: G1 starts as fast and stays 40 MB smaller, but takes a seventh more of two cores that others
    need as well. Only the first compiler: the second would take a third of a core from whoever is tested or measured
    for minutes, and repays it only to a broker that lives for hours.
    """
    if heap_mb < 128:
        raise WrongSettings("the broker's heap: at least 128 MB")
    aot = () if aot_cache is None else (f"-XX:AOTCache={aot_cache}", *CLASSES_ONLY)
    return (
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-XX:+ExitOnOutOfMemoryError",
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        f"-Djava.io.tmpdir={scratch}",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
        "--enable-native-access=ALL-UNNAMED",
        "--sun-misc-unsafe-memory-access=allow",
        *aot,
    )


def broker_command(java: str, jars: Sequence[str], options: Sequence[str], properties: str) -> tuple[str, ...]:
    """Run the node that the file `properties` describes."""
    return (java, *options, "-cp", ":".join(jars), "kafka.Kafka", properties)


def format_command(
    java: str, jars: Sequence[str], cluster_id: str, properties: str, options: Sequence[str] = ()
) -> tuple[str, ...]:
    """Format the node's folder with Kafka's own tool; `options` are the tool's, such as `--add-scram`.

    The tool lives for half a second, which the optimising compiler would only lengthen.
    """
    machine = ("-Xmx128m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData")
    tool = ("kafka.tools.StorageTool", "format", "--cluster-id", cluster_id, "--config", properties)
    return (java, *machine, "-cp", ":".join(jars), *tool, *options)


def parse_bootstrap(text: str) -> tuple[str, ...]:
    """`host:port[,host:port…]` as a tuple.

    Raises:
        WrongSettings: naming the position, never the address.
    """
    addresses = tuple(part.strip() for part in text.split(","))
    for position, address in enumerate(addresses, start=1):
        found = _ADDRESS.fullmatch(address)
        if found is None or not 0 < int(found[1]) < 65536:
            raise WrongSettings(f"KAFKA_BOOTSTRAP, address {position}: expected host:port[,host:port…]")
    return addresses


def last_error_kind(log: str) -> str:
    """The class of the last exception in a broker's log, `no exception logged` if there is none."""
    kinds = re.findall(r"\b((?:[a-z][\w$]*\.)+[A-Z][\w$]*(?:Exception|Error))\b", log)
    return kinds[-1] if kinds else "no exception logged"


def _escape(value: str) -> str:
    r"""As java.util.Properties reads it back: `\` doubled, leading blank kept."""
    doubled = value.replace("\\", "\\\\")
    return f"\\{doubled}" if doubled[:1] in {" ", "\t", "\f"} else doubled
