"""A rapid in one process: the three stages over one partition or several, a clock that stands, no broker."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from kafka.partitioner.default import murmur2

from ops.benchmarks.memory_state import MemoryState
from services.connectors.agent import ConnectorAgent
from services.connectors.freshness import key_of
from services.connectors.providers.topic.client import TopicProvider
from services.contract.account import Account
from services.contract.acts import APPROVAL_KEY, Approval
from services.contract.audit import Stage
from services.contract.envelope import Header
from services.contract.policies import Contract
from services.contract.topology import POLICIES
from services.filtering.agent import FilteringAgent
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import Keyring, KeySource, first_keyring
from services.runtime.agent import Agent, NotYet, handle_each, sweep_each
from services.runtime.outbox import BY_SUBJECT, SPREAD, UNKNOWN_REACH, Outbox, Output, Reached
from services.runtime.policies import PolicyBook
from services.runtime.records import FetchedRecord
from services.runtime.state import OFFSET

NOW_US = int(datetime(2026, 9, 15, 8, tzinfo=UTC).timestamp()) * 1_000_000
KEYRING = first_keyring("FR", bytes(range(32)))
PROVIDERS = ("gar", "lecture", "suite")


@dataclass(slots=True)
class Running:
    """One partition of one stage: what it remembers, and the policies it was last swept under."""

    agent: Agent
    book: PolicyBook
    kind: tuple[Stage, str]
    """And of which provider, where it is a connector."""
    partition: int
    state: MemoryState = field(default_factory=MemoryState)
    token: bytes = b""


def connector(name: str, book: PolicyBook) -> ConnectorAgent:
    def contract(contract_id: str) -> Contract | None:
        return book.by_provider[name].policy.contract(contract_id)

    return ConnectorAgent(name, TopicProvider(name, lambda named: c.purpose if (c := contract(named)) else ""), book)


CONTRACTS = ("gar/GAR-2026", "lecture/LEC-2026", "suite/SUI-2026")


def judged(book: PolicyBook, verdict: Literal["approved", "refused"]) -> bytes:
    """An operator's word on the set that is in a book, for all contracts of the examples."""
    approval = Approval(
        change_set=book.token().decode(), contracts=CONTRACTS, verdict=verdict, by="x",
        at=datetime(2026, 9, 15, 7, tzinfo=UTC),
    )  # fmt: skip
    return approval.model_dump_json().encode()


class Rapid:
    """Put records in, run, and read what every topic holds. `clock` gives microseconds."""

    def __init__(
        self, providers: Sequence[str] = PROVIDERS, keyring: Keyring = KEYRING,
        clock: Callable[[], int] = lambda: NOW_US, batch_records: int = 2000, partitions: int = 1,
    ) -> None:  # fmt: skip
        self.topics: dict[str, list[FetchedRecord]] = {}
        """Every topic in the order of writing, whatever the partition."""
        self.lanes: defaultdict[tuple[str, int], list[FetchedRecord]] = defaultdict(list)
        """The same by partition."""
        self.partitions = partitions
        self._clock = clock
        self._batch_records = batch_records
        self._keys = KeySource.of(keyring)
        kinds: list[tuple[Stage, str]] = [("filtering", ""), ("pseudonymisation", "")]
        kinds += [("connectors", name) for name in providers]
        self.stages = [
            Running(self.made(kind, book := PolicyBook(kind[0])), book, kind, number)
            for kind in kinds
            for number in range(partitions)
        ]

    def made(self, kind: tuple[Stage, str], book: PolicyBook) -> Agent:
        """A process of this stage, and of this provider where it is a connector."""
        match kind[0]:
            case "filtering":
                return FilteringAgent(book)
            case "pseudonymisation":
                return PseudonymisationAgent(book, self._keys)
            case _:
                return connector(kind[1], book)

    def put(self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()) -> None:
        """Publish as a platform does: where a key is, it chooses the partition."""
        self.put_in(0 if topic == POLICIES else self._by_subject(key), topic, key, value, headers)
        if topic == POLICIES:
            for stage in self.stages:
                stage.book.apply(key, value)

    def put_in(
        self, partition: int, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[Header] = ()
    ) -> None:
        lane = self.lanes[topic, partition]
        row = FetchedRecord(topic, partition, len(lane), self._clock() // 1000, key, value, headers)
        lane.append(row)
        self.topics.setdefault(topic, []).append(row)

    def judge(self, verdict: Literal["approved", "refused"]) -> None:
        """Do as an operator who approves or refuses what the set in force erases at once."""
        self.put(POLICIES, APPROVAL_KEY, judged(self.stages[0].book, verdict))

    async def run(self) -> None:
        """Until every stage has read all that it can, and has swept."""
        while any([await self._advance(stage) for stage in self.stages]):
            pass

    async def _advance(self, stage: Running) -> bool:
        moved = [await self._tick(stage), *[await self._read(stage, lane) for lane in stage.agent.lanes]]
        token = stage.agent.sweep_token(datetime.fromtimestamp(self._clock() / 1_000_000, UTC))
        if stage.token != token:
            outbox = self._outbox(stage)
            await sweep_each(stage.agent, list(stage.state.scan(stage.agent.swept, None)), outbox)
            self._commit(stage, outbox)
            stage.token = token
            return True
        return any(moved)

    async def _read(self, stage: Running, lane: str) -> bool:
        start = stage.state.next_offset(lane) or 0
        batch = self.lanes[lane, stage.partition][start : start + self._batch_records]
        outbox = self._outbox(stage)
        try:
            if batch:
                await handle_each(stage.agent, batch, outbox)
        except NotYet:
            return False
        if batch:
            outbox.put(OFFSET + lane.encode(), str(start + len(batch)).encode())
        self._commit(stage, outbox)
        return bool(batch)

    def _outbox(self, stage: Running) -> Outbox:
        """As in a process that has just heard of everything."""
        now_us = self._clock()
        stage.book.confirmed_us = now_us
        reached = Reached(dict.fromkeys(stage.agent.lanes, now_us))
        return Outbox(
            stage.agent.stage, stage.partition, stage.state, now_us, reached=reached, partitions=self.partitions
        )

    def _commit(self, stage: Running, outbox: Outbox) -> None:
        for output in outbox.outputs:
            self.put_in(self._partition_of(output), output.topic, output.key, output.value, output.headers)
        stage.state.apply(outbox.changes)
        outbox.announce()

    def _partition_of(self, output: Output) -> int:
        if output.partition == SPREAD:
            return zlib.crc32(output.key or b"") % self.partitions
        return self._by_subject(output.key) if output.partition == BY_SUBJECT else output.partition

    def _by_subject(self, key: bytes | None) -> int:
        return int(murmur2(key or b"") & 0x7FFFFFFF) % self.partitions

    async def _tick(self, stage: Running) -> bool:
        """As the runtime does between batches; the partition's heartbeat is always of this instant."""
        if isinstance(stage.agent, ConnectorAgent):
            beats = range(self.partitions)
            stage.state.apply({key_of(number): str(self._clock()).encode() for number in beats})
        outbox = self._outbox(stage)
        if not isinstance(stage.agent, ConnectorAgent):
            # A heartbeat of the filter at each turn would never let the others rest.
            outbox.go_on(outbox.now_us, UNKNOWN_REACH)
        account = Account(stage.agent.stage, "tick", stage.partition, 0)
        await stage.agent.tick(outbox, account)
        if not account.is_empty:
            outbox.report(stage.agent.audit, account, (0, account.records - 1), stage.agent.policy_versions())
        self._commit(stage, outbox)
        return not account.is_empty
