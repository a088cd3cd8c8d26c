"""(j) What the operators' page costs: 200 providers, 5,000 events a second through three stages, two pages open.

The console is fed with the accounts that stages would give of such a load, not by stages: these would take the machine.
An account of the filter speaks of all contracts, each ended in runs, of two types of school and of the fields that
stayed inside; a connector gives one a second and provider; every stage says of its heartbeats what they vouch for.
Each topic has four partitions, and the console remembers a whole day of such hours: what it asks the broker grows with
the one, what it holds in memory with the other.
"""

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx
import orjson
from confluent_kafka import Producer
from kafka import KafkaProducer

from ops import operators
from ops.benchmarks.bench_policies import bench_policies
from ops.benchmarks.findings import Findings, Measured
from ops.benchmarks.measuring import cpu_seconds, peak_bytes
from ops.benchmarks.workbench import Workbench
from ops.broker.embedded import EmbeddedBroker
from ops.broker.ports import free_ports
from ops.supervisor import Service, Supervisor
from ops.topics import apply_topics, wanted_topics
from services.console.accounts import read_entry
from services.console.counts import HOUR, HOURS_KEPT, Cell, cells_of
from services.console.history import History
from services.console.withdrawals import Flight
from services.contract.account import Account
from services.contract.audit import End, SchoolType, Stage
from services.contract.reasons import Rule
from services.contract.topology import (
    CHANGES,
    CONNECTORS_AUDIT,
    FILTERING_AUDIT,
    OPERATIONS,
    POLICIES,
    PROVIDER_WITHDRAWALS,
    PSEUDONYMISATION_AUDIT,
    RELEASES,
    WITHDRAWALS,
    named_for,
)  # fmt: skip

NAME = "console"
PROVIDERS = 200
EVENTS_A_SECOND = 5000
PARTITIONS = 4
BATCH = 500
RUN = 25
"""Records in a row that end in the same way for one contract."""
ENDS: Final[tuple[tuple[End, str], ...]] = (
    ("released", "R3/public-task"), ("withheld", "school-not-subscribed"), ("withheld", "kind-not-in-contract"),
)  # fmt: skip
DROPPED: Final[Mapping[str, Rule]] = {
    "ine": "R16", "regime": "R16", "scholarship": "R16", "transport": "R16", **dict.fromkeys(
        ("birth_date", "birth_year", "divisions", "email", "email_relay", "groups", "home_phone", "mef", "subjects"),
        "R17"), "town": "R23", "postcode": "R23",
}  # fmt: skip
VOUCHED_SECONDS: Final = 5
"""How often each stage says in each partition what the heartbeats vouch for."""
SECONDS, QUICK_SECONDS = 25, 8
READY_SECONDS = 120.0
PAGES = 2
HISTORY = "console.sqlite"
_SHOWN = ("directory.v1", "state.")
"""Of topics that the console never asks about."""


@dataclass(slots=True)
class Seen:
    """What one page was sent."""

    at: list[float] = field(default_factory=list)
    sent_bytes: int = 0

    def most_in_a_second(self) -> int:
        return max((sum(1 for other in self.at if 0 <= other - one < 1.0) for one in self.at), default=0)


def measure(bench: Workbench) -> Findings:
    seconds = QUICK_SECONDS if bench.quick else SECONDS
    names = [f"provider-{number:03d}" for number in range(PROVIDERS)]
    bench.say(f"console: topics of {PROVIDERS} providers")
    with EmbeddedBroker(heap_mb=512) as broker, _console(bench, broker.bootstrap, names) as (pid, url, password):
        stopping, pages = threading.Event(), [Seen() for _ in range(PAGES)]
        session = _sign_in(url, password)
        readers = [threading.Thread(target=_read, args=(url, session, page, stopping)) for page in pages]
        feeders = [threading.Thread(target=one, args=(broker.bootstrap, names, stopping)) for one in (_feed, _beat)]
        for thread in (*readers, *feeders):
            thread.start()
        bench.say(f"console: {EVENTS_A_SECOND} events a second for {seconds} s")
        time.sleep(3.0)
        before, began = cpu_seconds([pid]), time.monotonic()
        time.sleep(seconds)
        share = (cpu_seconds([pid]) - before) / (time.monotonic() - began)
        stopping.set()
        for thread in (*readers, *feeders):
            thread.join(10.0)
        peak = float(peak_bytes([pid]))
    found = {
        "share_of_a_core": share,
        "peak_bytes": peak,
        "updates_in_a_second": float(max(page.most_in_a_second() for page in pages)),
        "updates": float(min(len(page.at) for page in pages)),
        "sent_bytes_a_second": max(page.sent_bytes for page in pages) / (seconds + 3.0),
    }
    return Findings(figures={f"{NAME}/{what}": Measured.of([value]) for what, value in found.items()})


@contextmanager
def _console(bench: Workbench, bootstrap: str, names: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """A console that knows these providers; its process, address and password."""
    wanted = {
        name: topic for name, topic in wanted_topics(names, PARTITIONS).items() if not any(no in name for no in _SHOWN)
    }
    apply_topics([bootstrap], wanted)
    example = bench_policies()["alpha"]
    with KafkaProducer(bootstrap_servers=bootstrap) as producer:
        for name in names:
            policy = example.model_copy(update={"provider": name, "name": f"banc {name}"})
            producer.send(POLICIES, policy.model_dump_json(by_alias=True).encode(), name.encode())
        producer.flush()
    account = bench.folder / "operator.json"
    password = operators.renew(account, operators.NAME, os.urandom)
    (port,) = free_ports(1)
    environment = {
        "KAFKA_BOOTSTRAP": bootstrap, "SANCTUAIRE_OPERATOR_FILE": str(account),
        "SANCTUAIRE_CONSOLE_ADDRESS": f"127.0.0.1:{port}",
    }  # fmt: skip
    service = Service(NAME, "services.console", environment, NAME, holds_partitions=False)
    _remember(bench.folder / NAME / NAME / HISTORY, names)
    with Supervisor(services=(service,), folder=bench.folder / NAME) as supervisor:
        supervisor.wait_ready(READY_SECONDS, 0)
        yield supervisor.pids[NAME], f"http://127.0.0.1:{port}", password


def _sign_in(url: str, password: str) -> httpx.Cookies:
    with httpx.Client(base_url=url) as client:
        token = re.search(r'name="token" value="([^"]+)"', client.get("/login").text)
        form = {"name": operators.NAME, "password": password, "token": token[1] if token else ""}
        client.post("/login", data=form)
        return client.cookies


def _read(url: str, session: httpx.Cookies, page: Seen, stopping: threading.Event) -> None:
    """A page: it counts what it is sent, throws it away, and is made anew where it is told to."""
    with httpx.Client(base_url=url, cookies=session, timeout=30.0) as client:
        while not stopping.is_set():
            with client.stream("GET", "/stream") as stream:
                for line in stream.iter_lines():
                    page.sent_bytes += len(line)
                    if line.startswith("event: fragments"):
                        page.at.append(time.monotonic())
                    if stopping.is_set():
                        return


def _remember(file: Path, names: Sequence[str]) -> None:
    """A day of such hours, of which the console knows from before."""
    hour = int(time.time()) // HOUR
    accounts = [read_entry(_filtering(names, partition, 0)) for partition in range(PARTITIONS)]
    kinds = [cell[1:] for cell in cells_of(accounts, ())]
    history = History(file)
    cells = {Cell(hour - back, *kind): 90_000 for back in range(1, HOURS_KEPT) for kind in kinds}
    history.write({}, cells, {}, {}, Flight())
    history.close()


def _feed(bootstrap: str, names: Sequence[str], stopping: threading.Event) -> None:
    """Accounts at the pace of so many events a second, each batch when it is due."""
    with KafkaProducer(bootstrap_servers=bootstrap, linger_ms=20) as producer:
        began, number = time.monotonic(), 0
        bodies = [_filtering(names, number % PARTITIONS, number * BATCH) for number in range(3 * PARTITIONS)]
        while not stopping.wait(max(0.0, began + number * BATCH / EVENTS_A_SECOND - time.monotonic())):
            at = datetime.now(UTC)
            producer.send(FILTERING_AUDIT, _dated(bodies[number % len(bodies)], at), partition=number % PARTITIONS)
            producer.send(PSEUDONYMISATION_AUDIT, _passed(names, number, at), partition=number % PARTITIONS)
            share = len(names) * BATCH // EVENTS_A_SECOND
            for name in names[number * share % len(names) :][:share]:
                producer.send(CONNECTORS_AUDIT, _delivered(name, number, at), partition=number % PARTITIONS)
            number += 1


def _beat(bootstrap: str, names: Sequence[str], stopping: threading.Event) -> None:
    """What every stage says of its heartbeats, each second of those partitions and providers whose turn it is."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20})
    began, second = time.monotonic(), 0
    while not stopping.wait(max(0.0, began + second - time.monotonic())):
        at = datetime.now(UTC)
        for partition in range(PARTITIONS):
            if partition == second % VOUCHED_SECONDS:
                producer.produce(
                    FILTERING_AUDIT, _vouched("filtering", "tick", CHANGES, partition, at), partition=partition
                )
                body = _vouched("pseudonymisation", WITHDRAWALS, RELEASES, partition, at)
                producer.produce(PSEUDONYMISATION_AUDIT, body, partition=partition)
            for name in names[second % VOUCHED_SECONDS :: VOUCHED_SECONDS]:
                lanes = named_for(PROVIDER_WITHDRAWALS, name), named_for(OPERATIONS, name)
                producer.produce(CONNECTORS_AUDIT, _vouched("connectors", *lanes, partition, at), partition=partition)
        producer.poll(0)
        second += 1
    producer.flush(5.0)


def _vouched(stage: Stage, topic: str, other: str, partition: int, at: datetime) -> bytes:
    """The account of heartbeats alone."""
    account = Account(stage, topic, partition, 0)
    account.vouch(at, {other: 0})
    return account.entry((0, 0), at, {}).model_dump_json(exclude_unset=True).encode()


def _filtering(names: Sequence[str], partition: int, first: int) -> bytes:
    account = Account("filtering", CHANGES, partition, BATCH)
    for offset in range(first, first + BATCH):
        account.school(offset, _school(offset))
    for index, name in enumerate(names):
        for offset in range(first, first + BATCH):
            end, reason = ENDS[(offset // RUN + index) % len(ENDS)]
            account.end(offset, f"{name}/alpha-2026", end, reason)
            if end == "released":
                account.drop(f"{name}/alpha-2026", _school(offset), DROPPED)
    entry = account.entry((first, first + BATCH - 1), datetime.now(UTC), {})
    return entry.model_dump_json(exclude_unset=True).encode()


def _school(offset: int) -> SchoolType:
    return "lower-secondary" if offset // (2 * RUN) % 2 else "upper-secondary"


def _dated(body: bytes, at: datetime) -> bytes:
    return orjson.dumps({**orjson.loads(body), "at": at})


def _passed(names: Sequence[str], number: int, at: datetime) -> bytes:
    account = Account("pseudonymisation", RELEASES, number % PARTITIONS, BATCH)
    for offset in range(BATCH):
        name = names[(offset // 2) % len(names)]
        account.end(number * BATCH + offset, f"{name}/alpha-2026", "released", "renamed")
    entry = account.entry((number * BATCH, number * BATCH + BATCH - 1), at, {})
    return entry.model_dump_json(exclude_unset=True).encode()


def _delivered(name: str, number: int, at: datetime) -> bytes:
    each = EVENTS_A_SECOND // PROVIDERS
    account = Account("connectors", named_for(OPERATIONS, name), number % PARTITIONS, each)
    for offset in range(each):
        account.end(number * each + offset, f"{name}/alpha-2026", "released", "delivered")
    entry = account.entry((number * each, number * each + each - 1), at, {})
    return entry.model_dump_json(exclude_unset=True).encode()
