"""The three stages as real processes on a real broker: start, stop, kill, and read what came of it."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from ops import keys
from ops.demo.coverage import NO_INPUTS
from ops.demo.readout import is_heartbeat
from ops.topics import apply_topics, wanted_topics
from services.contract.topology import LEDGER
from services.pseudonymisation.sealing import open_keyring

ROOT = Path(__file__).parents[2]
Message = tuple[str, bytes | None, bytes | None]
"""Topic, key, value."""
Read = dict[int, list[Any]]
"""Records of a topic by partition, each in offset order."""


SETTLED_SECONDS = 2.0
"""A tick comes every second."""


def wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return met


@dataclass
class Stages:
    """An installation of its own: topics, keys and work folders."""

    bootstrap: str
    folder: Path
    providers: tuple[str, ...]
    partitions: int
    environment: dict[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _read: dict[TopicPartition, list[Any]] = field(default_factory=dict)
    _position: dict[TopicPartition, int] = field(default_factory=dict)
    """What was read before is asked for no more: tests look often."""
    _settled: tuple[int, float] = (0, 0.0)
    """How many records were read when that last changed, and when it did."""

    def prepare(self) -> None:
        files = keys.init(self.folder / "keys", "FR", os.urandom)
        self.keyring = open_keyring(files.keyring.read_bytes(), files.kek.read_bytes())
        self.environment = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "SANCTUAIRE_KEYRING_FILE": str(files.keyring),
            "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE": str(files.kek),
            "SANCTUAIRE_SESSION_TIMEOUT_SECONDS": "6",
            **self.environment,
        }
        apply_topics([self.bootstrap], wanted_topics(self.providers, self.partitions))

    @property
    def names(self) -> tuple[str, ...]:
        return ("filtering", "pseudonymisation", *(f"connectors-{name}" for name in self.providers))

    def start(self, name: str, worker: str = "", program: str | None = None) -> None:
        """`connectors-gar` starts the connector of gar; `worker` tells two of one stage apart.

        `program` is a module to run in place of the stage's own.
        """
        module, _, provider = name.partition("-")
        place = self.folder / f"{name}{worker}"
        place.mkdir(exist_ok=True)
        own = {"SANCTUAIRE_WORK_FOLDER": str(place), "SANCTUAIRE_GROUP_INSTANCE_ID": place.name}
        environment = {**os.environ, **self.environment, **own}
        if provider:
            environment["SANCTUAIRE_PROVIDER"] = provider
        with (place / "log.jsonl").open("ab") as log:
            command = [sys.executable, "-m", program or f"services.{module}"]
            self.running[place.name] = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)

    def stop(self, name: str) -> int:
        """End in order; its exit code."""
        process = self.running.pop(name)
        process.terminate()
        return process.wait(20)

    def kill(self, name: str) -> None:
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait(20)

    def freeze(self, name: str) -> None:
        """It neither knows nor says anything until it is thawed; nobody is told."""
        self.running[name].send_signal(signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        self.running[name].send_signal(signal.SIGCONT)

    def revive(self, *names: str) -> list[int]:
        """Start again whoever has ended by itself, of these or of all; the exit codes."""
        asked = {name: self.running[name] for name in names or self.running}
        ended = {name: process.returncode for name, process in asked.items() if process.poll() is not None}
        for name in ended:
            self.start(name)
        return list(ended.values())

    def holds(self, name: str) -> int:
        """How many partitions a worker said last that it has open."""
        word = self.folder / name / "health.json"
        return int(orjson.loads(word.read_bytes())["partitions"]) if word.exists() else 0

    def log(self, name: str) -> list[dict[str, Any]]:
        lines = (self.folder / name / "log.jsonl").read_bytes().splitlines()
        return [orjson.loads(line) for line in lines if line.startswith(b"{")]

    def assignments(self, name: str) -> list[int]:
        """How many partitions a worker was assigned, each time."""
        return [line["partitions"] for line in self.log(name) if line["event"] == "assigned"]

    def publish(self, messages: Iterable[Message], partition: int | None = None) -> list[int]:
        """Send, wait until the broker has them all, and give their offsets."""
        # A producer of its own each time: kafka-python leaves sockets open when its broker restarts.
        with KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5) as producer:
            sent = [producer.send(topic, key=key, value=value, partition=partition) for topic, key, value in messages]
            return [future.get(30).offset for future in sent]

    def read(self, topic: str) -> Read:
        """All committed records of a topic, up to where it ends now; heartbeats are no inputs."""
        self._follow([topic])
        return {part.partition: list(found) for part, found in sorted(self._read.items()) if part.topic == topic}

    def _follow(self, topics: Sequence[str]) -> None:
        """Read what has come since the last time, up to where these topics end now."""
        with KafkaConsumer(
            bootstrap_servers=self.bootstrap, isolation_level="read_committed", enable_auto_commit=False,
            auto_offset_reset="earliest", fetch_max_wait_ms=50, max_poll_records=10_000,
        ) as consumer:  # fmt: skip
            # Not `partitions_for_topic`: it says there are none where its one request for them was cut short.
            wanted = wanted_topics(self.providers, self.partitions)
            parts = [TopicPartition(topic, n) for topic in topics for n in range(wanted[topic].partitions)]
            consumer.assign(parts)
            for part in parts:
                consumer.seek(part, self._position.setdefault(part, 0))
                self._read.setdefault(part, [])
            ends = consumer.end_offsets(parts)
            while any(consumer.position(part) < ends[part] for part in parts):
                for part, records in consumer.poll(timeout_ms=100).items():
                    self._position[part] = records[-1].offset + 1
                    beats = part.topic.startswith("provisioning.withdrawals.")
                    self._read[part] += [row for row in records if not beats or not is_heartbeat(row.key, row.value)]

    @contextmanager
    def transactions(self, topic: str) -> Iterator[Callable[[], set[int]]]:
        """Gives what tells the partitions of a topic that end in a transaction nobody has ended yet."""
        parts = [TopicPartition(topic, number) for number in range(self.partitions)]
        servers = self.bootstrap
        with (
            KafkaConsumer(bootstrap_servers=servers, isolation_level="read_committed") as committed,
            KafkaConsumer(bootstrap_servers=servers, isolation_level="read_uncommitted") as uncommitted,
        ):

            def open_now() -> set[int]:
                stable, ends = committed.end_offsets(parts), uncommitted.end_offsets(parts)
                return {part.partition for part in parts if stable[part] < ends[part]}

            yield open_now

    def rows(self, topic: str) -> list[Any]:
        return [record for records in self.read(topic).values() for record in records]

    def values(self, topic: str) -> list[dict[str, Any]]:
        return [orjson.loads(row.value) for row in self.rows(topic)]

    def _known(self, topics: Sequence[str]) -> list[Any]:
        """The records of these topics as far as they were read."""
        return [row for part, found in self._read.items() if part.topic in topics for row in found]

    def directory(self, provider: str) -> dict[str, Any]:
        """What the provider knows now: its compacted topic, folded."""
        known = {row.key.decode(): row.value for row in self.rows(f"providers.{provider}.directory.v1")}
        return {name: orjson.loads(value) for name, value in known.items() if value is not None}

    def is_done(self) -> bool:
        """Whether every stage has accounted for every record that it can read, and has said nothing since for a while.

        Kafka shows a transaction partition by partition, perhaps its account first; and whom a filter holds for being
        stale, as one that has just started does, is released by a later tick.
        """
        accounted = self._is_accounted()
        # Accounts come while nothing does: of heartbeats.
        known = sum(len(found) for part, found in self._read.items() if not part.topic.startswith("audit."))
        if not accounted or known != self._settled[0]:
            self._settled = known, time.monotonic()
        return accounted and time.monotonic() - self._settled[1] > SETTLED_SECONDS

    def _is_accounted(self) -> bool:
        lanes = {"filtering": ["directory.changes.v1", "consents.decisions.v1",
                               "directory.links.v1", "directory.unlinks.v1", "directory.moves.v1"],
                 "pseudonymisation": ["provisioning.releases.v1", "provisioning.withdrawals.v1"]}  # fmt: skip
        lanes["connectors"] = [
            f"provisioning.{lane}.{name}.v1" for name in self.providers for lane in ("operations", "withdrawals")
        ]
        self._follow([LEDGER, *(f"audit.{stage}.v1" for stage in lanes)])
        self._follow([topic for topics in lanes.values() for topic in topics])
        return all(
            self._accounted(f"audit.{stage}.v1") >= len(self._known(topics)) for stage, topics in lanes.items()
        ) and not self._owed(lanes["connectors"])

    def _accounted(self, audit: str) -> int:
        entries = [orjson.loads(row.value) for row in self._known([audit])]
        return sum(entry["records"] for entry in entries if entry["topic"] not in NO_INPUTS)

    def _owed(self, lanes: Sequence[str]) -> set[bytes]:
        """Ledger keys whose last operation has not come to the ledger: it waits for a window, or behind a backlog."""
        entered = {row.key: orjson.loads(row.value)["seq"] for row in self._known([LEDGER])}
        said = [orjson.loads(row.value) for row in self._known(lanes)]
        keys = {f"{one['provider']}/{one['contract']}/{one['pseudonym']}".encode(): one["seq"]
                for one in sorted(said, key=lambda one: int(one["seq"]))}  # fmt: skip
        return {key for key, seq in keys.items() if entered.get(key, 0) < seq}

    def twice_accounted(self, stage: str) -> list[tuple[str, int, int, str]]:
        """Topic, partition, offset and contract of every end that the audit gives more than once."""
        seen: Counter[tuple[str, int, int, str]] = Counter()
        for entry in self.values(f"audit.{stage}.v1"):
            if entry["topic"] not in NO_INPUTS:
                seen.update(ends_of(entry))
        return [end for end, count in seen.items() if count > 1]

    def unaccounted(self, stage: str, topics: Sequence[str]) -> list[tuple[str, int, int]]:
        """Every record of these topics that neither the audit nor the quarantine speaks of."""
        told = {(topic, part, offset) for entry in self.values(f"audit.{stage}.v1")
                for topic, part, offset, _ in ends_of(entry)}  # fmt: skip
        aside = {(value["topic"], value["partition"], value["offset"])
                 for topic in topics for value in self.values(f"{topic}.quarantine")}  # fmt: skip
        there = {(topic, row.partition, row.offset) for topic in topics for row in self.rows(topic)}
        return sorted(there - told - aside)


def ends_of(entry: dict[str, Any]) -> Iterator[tuple[str, int, int, str]]:
    for contract, ends in entry["ends"].items():
        for reasons in ends.values():
            for ranges in reasons.values():
                for first, last in ranges:
                    for offset in range(first, last + 1):
                        yield entry["topic"], entry["partition"], offset, contract


@contextmanager
def installation(
    bootstrap: str, folder: Path, providers: tuple[str, ...] = ("gar",), partitions: int = 2,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Stages]:  # fmt: skip
    """Topics, keys, nothing running; what was started is ended."""
    stages = Stages(bootstrap, folder, providers, partitions, dict(environment or {}))
    try:
        stages.prepare()
        yield stages
    finally:
        for name in list(stages.running):
            stages.kill(name)
