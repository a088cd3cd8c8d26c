"""The real stages over several partitions in one process, up to what two providers can read of it. Asserts nothing.

As on a broker, a transaction's end takes an offset of its own in every partition that it wrote to, and a live watcher
sees when it was committed.
"""

import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, NamedTuple

import orjson
from aiokafka.partitioner import murmur2

from ops.benchmarks.memory_state import MemoryState
from services.contract.identifiers import canonical_uai
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, PROVIDER_DIRECTORY, named_for
from services.filtering.agent import FilteringAgent
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import KeySource
from services.runtime.agent import Agent, NotYet, handle_each, sweep_each, tick
from services.runtime.outbox import BY_SUBJECT, SPREAD, Outbox, Reached
from services.runtime.policies import PolicyBook
from services.runtime.records import FetchedRecord
from services.runtime.state import OFFSET
from tests.replay.invented import bytes_of, contract_with, policy
from tests.replay.rapid import KEYRING, NOW_US, connector

PARTITIONS = 12
BATCH = 2000
PROVIDERS = ("prov-a", "prov-b")
WINDOW_SECONDS = 300
SHARED = ["school", "divisions", "groups", "email_relay"]
OWN = {"prov-a": "given_name", "prov-b": "family_name"}
"""What only one of the two may know: what both know alike would join them by itself (SECURITY.md, residue 4)."""


def contract_of(provider: str, window_seconds: int) -> ProviderPolicy:
    fields = [OWN[provider], *SHARED]
    contracts = contract_with(
        id="C-2026", fields=fields, required=[OWN[provider]], release_window_seconds=window_seconds
    )
    return policy(
        provider=provider, contracts=contracts, relay_domain=f"relais.{provider}.example.test",
        perimeter={"allowed_fields": [*OWN.values(), *SHARED], "providers": None},
    )  # fmt: skip


class Read(NamedTuple):
    """One record of a provider's topic, as that provider reads it."""

    partition: int
    offset: int
    timestamp: int
    at_us: int
    """When a live watcher saw it."""
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...]


@dataclass(slots=True)
class Running:
    agent: Agent
    book: PolicyBook
    states: list[MemoryState] = field(default_factory=lambda: [MemoryState() for _ in range(PARTITIONS)])


class Cluster:
    """Publish, let time pass, and read what each provider has."""

    def __init__(self, window_seconds: int, seed: int = 0) -> None:
        self.now_us = NOW_US
        self.random = Random(seed)  # noqa: S311  # in which order partitions are worked off
        self._topics: dict[tuple[str, int], list[FetchedRecord]] = defaultdict(list)
        self._offsets: dict[tuple[str, int], int] = defaultdict(int)
        self._seen: dict[tuple[str, int, int], int] = {}
        books = [PolicyBook("filtering"), PolicyBook("pseudonymisation"), PolicyBook("connectors")]
        for book in books:
            for provider in PROVIDERS:
                book.apply(provider.encode(), bytes_of(contract_of(provider, window_seconds)))
        self._filter = Running(FilteringAgent(books[0]), books[0])
        self._stages = [
            self._filter,
            Running(PseudonymisationAgent(books[1], KeySource.of(KEYRING)), books[1]),
            *(Running(connector(provider, books[2]), books[2]) for provider in PROVIDERS),
        ]

    def publish(self, key: str, change: bytes) -> None:
        """As a platform does: by Kafka's own partitioner."""
        self._append((CHANGES, _chosen(BY_SUBJECT, key.encode())), key.encode(), change, (), None)

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, hear the heartbeats, and do all that is due."""
        self.now_us += round(seconds * 1_000_000)
        for number in range(PARTITIONS):
            await self._step(self._filter, number, partial(tick, self._filter.agent))
        await self.run()

    async def run(self) -> None:
        """Until nothing is left to read; partitions in any order."""
        while any([await self._work(stage, number) for stage, number in self._turns()]):
            pass

    def _turns(self) -> list[tuple[Running, int]]:
        turns = [(stage, number) for stage in self._stages for number in range(PARTITIONS)]
        self.random.shuffle(turns)
        return turns

    async def _work(self, stage: Running, number: int) -> bool:
        moved = False
        for lane in stage.agent.lanes:
            start = stage.states[number].next_offset(lane) or 0
            rows = [row for row in self._topics[lane, number][-BATCH * 8 :] if row.offset >= start][:BATCH]
            if rows and await self._step(stage, number, partial(_handle, stage.agent, rows)):
                stage.states[number].apply({OFFSET + lane.encode(): str(rows[-1].offset + 1).encode()})
                moved = True
        if stage is not self._filter:  # its heartbeats are heard as time passes
            await self._step(stage, number, partial(tick, stage.agent))
        return moved

    async def _step(self, stage: Running, number: int, do: Any) -> bool:
        stage.book.confirmed_us = self.now_us
        reached = Reached(dict.fromkeys(stage.agent.lanes, self.now_us))
        outbox = Outbox(
            stage.agent.stage, number, stage.states[number], self.now_us, reached=reached, partitions=PARTITIONS
        )
        try:
            await do(outbox)
        except NotYet:
            return False
        self._commit(stage, number, outbox)
        return True

    def _commit(self, stage: Running, number: int, outbox: Outbox) -> None:
        written = set()
        for output in outbox.outputs:
            if output.topic.startswith(("audit.", "provisioning.ledger")):
                continue
            place = (output.topic, _chosen(output.partition, output.key or b""))
            self._append(place, output.key, output.value, output.headers, output.timestamp_ms)
            written.add(place)
        for place in written:
            self._offsets[place] += 1
        stage.states[number].apply(outbox.changes)

    def _append(
        self, place: tuple[str, int], key: bytes | None, value: bytes | None, headers: Any, timestamp_ms: int | None
    ) -> None:
        topic, partition = place
        offset = self._offsets[place]
        self._offsets[place] += 1
        at = self.now_us // 1000 if timestamp_ms is None else timestamp_ms
        self._topics[place].append(FetchedRecord(topic, partition, offset, at, key, value, headers))
        self._seen[topic, partition, offset] = self.now_us

    async def sweep(self) -> None:
        for stage in self._stages:
            for number, state in enumerate(stage.states):
                entries = list(state.scan(stage.agent.swept, None))
                await self._step(stage, number, partial(_sweep, stage.agent, entries))

    def read(self, provider: str, since_us: int = 0) -> list[Read]:
        """A provider's whole topic, partition by partition, of what was committed from then on."""
        topic = named_for(PROVIDER_DIRECTORY, provider)
        return [
            Read(number, row.offset, row.timestamp, seen, row.key or b"", row.value, tuple(row.headers))
            for number in range(PARTITIONS)
            for row in self._topics[topic, number]
            if (seen := self._seen[topic, number, row.offset]) >= since_us
        ]


def _chosen(partition: int, key: bytes) -> int:
    """As the runtime does (services/runtime/partition.py)."""
    if partition == SPREAD:
        return zlib.crc32(key) % PARTITIONS
    return int(murmur2(key) & 0x7FFFFFFF) % PARTITIONS if partition == BY_SUBJECT else partition


async def _handle(agent: Agent, rows: Sequence[FetchedRecord], outbox: Outbox) -> None:
    await handle_each(agent, rows, outbox)


async def _sweep(agent: Agent, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox) -> None:
    await sweep_each(agent, entries, outbox)


def uai(number: int) -> str:
    """An invented school, with its true check letter."""
    return next(
        text for letter in "ABCDEFGHJKLMNPRSTUVWXYZ" if (text := canonical_uai(f"{990000 + number:07}{letter}"))
    )


_PUPIL = {"entity": "person", "category": "pupil", "source": "aaf-d99"}


class Pupil(NamedTuple):
    """One of the synthetic pupils; her names are drawn apart, so that neither tells the other."""

    number: int
    school: str
    division: str
    given_name: str
    family_name: str
    groups: tuple[str, ...] = ()

    @property
    def ine(self) -> str:
        return f"{self.number:09}AB"

    def leaves(self, version: int) -> bytes:
        return orjson.dumps({**_PUPIL, "kind": "delete", "attributes": {}, **self._named(version)})

    def _named(self, version: int) -> dict[str, str]:
        return {"id": f"9-{self.number}", "version": f"20260901.0.{version:09}"}

    def change(self, version: int) -> bytes:
        attributes: dict[str, Any] = {
            "ine": self.ine, "given_name": self.given_name, "family_name": self.family_name,
            "birth_date": "2013-05-03", "school": self.school,
            "divisions": [{"school": self.school, "code": self.division}],
        }  # fmt: skip
        if self.groups:
            attributes["groups"] = [{"school": self.school, "code": code} for code in self.groups]
        return orjson.dumps({**_PUPIL, "kind": "upsert", "attributes": attributes, **self._named(version)})


def name(random: Random) -> str:
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=random.randint(3, 12)))


def pupils(random: Random, classes: Sequence[tuple[str, str, int]]) -> list[Pupil]:
    """So many of each class: school, division, pupils. Their numbers say nothing of their class."""
    places = [(school, division) for school, division, count in classes for _ in range(count)]
    random.shuffle(places)
    return [Pupil(n, school, code, name(random), name(random)) for n, (school, code) in enumerate(places, 1)]
