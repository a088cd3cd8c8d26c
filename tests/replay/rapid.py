"""A rapid in one process: the three stages over one partition, a clock that stands, no broker."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from services.connectors.agent import ConnectorAgent
from services.connectors.freshness import key_of
from services.connectors.providers.topic.client import TopicProvider
from services.contract.account import Account
from services.contract.acts import APPROVAL_KEY, Approval
from services.contract.policies import Contract
from services.contract.topology import POLICIES
from services.filtering.agent import FilteringAgent
from services.pseudonymisation.agent import PseudonymisationAgent
from services.pseudonymisation.keyring import Keyring, KeySource, first_keyring
from services.runtime.agent import Agent, NotYet, handle_each, sweep_each
from services.runtime.outbox import UNKNOWN_REACH, Outbox, Reached
from services.runtime.policies import PolicyBook
from services.runtime.state import OFFSET
from tests.replay.rows import Headers, Row
from tests.unit.memory_state import MemoryState

NOW_US = int(datetime(2026, 9, 15, 8, tzinfo=UTC).timestamp()) * 1_000_000
KEYRING = first_keyring("FR", bytes(range(32)))
PROVIDERS = ("gar", "lecture", "suite")


@dataclass(slots=True)
class Running:
    """One stage: what it remembers, and the policies it was last swept under."""

    agent: Agent
    book: PolicyBook
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
        clock: Callable[[], int] = lambda: NOW_US, batch_records: int = 2000,
    ) -> None:  # fmt: skip
        self.topics: dict[str, list[Row]] = {}
        self._clock = clock
        self._batch_records = batch_records
        books = [
            PolicyBook("filtering"),
            PolicyBook("pseudonymisation"),
            *(PolicyBook("connectors") for _ in providers),
        ]
        agents: list[Agent] = [FilteringAgent(books[0]), PseudonymisationAgent(books[1], KeySource.of(keyring))]
        agents += [connector(name, book) for name, book in zip(providers, books[2:], strict=True)]
        self.stages = [Running(agent, book) for agent, book in zip(agents, books, strict=True)]

    def put(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        rows = self.topics.setdefault(topic, [])
        rows.append(Row(topic, 0, len(rows), self._clock() // 1000, key, value, headers))
        if topic == POLICIES:
            for stage in self.stages:
                stage.book.apply(key, value)

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
        batch = self.topics.get(lane, [])[start : start + self._batch_records]
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
        return Outbox(stage.agent.stage, 0, stage.state, now_us, reached=reached)

    def _commit(self, stage: Running, outbox: Outbox) -> None:
        for output in outbox.outputs:
            self.put(output.topic, output.key, output.value, output.headers)
        stage.state.apply(outbox.changes)
        outbox.announce()

    async def _tick(self, stage: Running) -> bool:
        """As the runtime does between batches; the partition's heartbeat is always of this instant."""
        if isinstance(stage.agent, ConnectorAgent):
            stage.state.apply({key_of(0): str(self._clock()).encode()})
        outbox = self._outbox(stage)
        if not isinstance(stage.agent, ConnectorAgent):
            # A heartbeat of the filter at each turn would never let the others rest.
            outbox.go_on(outbox.now_us, UNKNOWN_REACH)
        account = Account(stage.agent.stage, "tick", 0, 0)
        await stage.agent.tick(outbox, account)
        if not account.is_empty:
            outbox.report(stage.agent.audit, account, (0, account.records - 1), stage.agent.policy_versions())
        self._commit(stage, outbox)
        return not account.is_empty
