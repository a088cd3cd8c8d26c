"""One connector over one partition, with a clock and restarts. Asserts nothing."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from ops.benchmarks.memory_state import MemoryState
from services.connectors.agent import ConnectorAgent
from services.connectors.provider import Provider
from services.contract.account import Account
from services.contract.heartbeats import Heartbeat
from services.contract.operations import Delete, Restrict, Upsert
from services.contract.policies import ProviderPolicy
from services.contract.topology import CONNECTORS_AUDIT, LEDGER
from services.runtime.agent import handle_each, sweep_each
from services.runtime.outbox import Outbox, Output, Reached
from services.runtime.policies import PolicyBook
from services.runtime.records import FetchedRecord
from tests.replay.invented import bytes_of, contract_with, policy
from tests.replay.rapid import NOW_US, connector
from tests.unit.stage_runs import book

UPSERTS, DELETES = "provisioning.operations.gar.v1", "provisioning.withdrawals.gar.v1"
DIRECTORY = "providers.gar.directory.v1"
NAME = "a" * 32
COMMON = {"provider": "gar", "contract": "GAR-2026", "policy": "sha256:" + "0" * 64,
          "policy_version": 4, "event_id": "b" * 32}  # fmt: skip
Message = tuple[bytes | None, bytes | None]


def upsert(seq: int = 10, name: str = NAME, **differences: Any) -> Message:
    whole = {**COMMON, "pseudonym": name, "seq": seq, "kind": "pupil", "fields": {"level": "5EME"}, **differences}
    return name.encode(), Upsert.model_validate(whole).model_dump_json().encode()


def delete(seq: int = 11, name: str = NAME, **differences: Any) -> Message:
    whole = {**COMMON, "pseudonym": name, "seq": seq, **differences}
    return name.encode(), Delete.model_validate(whole).model_dump_json().encode()


def restrict(seq: int = 12, name: str = NAME, **differences: Any) -> Message:
    whole = {**COMMON, "pseudonym": name, "seq": seq, "restricted": True, **differences}
    return name.encode(), Restrict.model_validate(whole).model_dump_json().encode()


def heartbeat(now_us: int, partition: int = 0) -> Message:
    at = datetime.fromtimestamp(now_us / 1_000_000, UTC)
    return None, Heartbeat(partition=partition, applied_until=at).model_dump_json().encode()


def windowed(seconds: int, **differences: Any) -> ProviderPolicy:
    """The policy of gar with a release window."""
    contracts = contract_with(release_window_seconds=seconds, **differences.pop("contract", {}))
    return policy(contracts=contracts, **differences)


class Connector:
    """The connector of gar, with everything that it has sent; it hears a heartbeat at the start."""

    def __init__(self, *policies: ProviderPolicy, provider: Provider | None = None) -> None:
        self.state = MemoryState()
        self.now_us = NOW_US
        self.book = book(*policies)
        self.sent: list[Output] = []
        self.offsets = {UPSERTS: 0, DELETES: 0}
        self.partitions = 1
        self.read_to: Mapping[str, int] = {}
        """Where lanes end of which nothing waits."""
        self._provider = provider
        self.restart()

    def restart(self) -> None:
        """What only the process knew is lost; the state is not."""
        self.backlog: dict[str, int] = {}
        self.agent = self._made(self.book)

    def opened(self, backlog: Mapping[str, int]) -> None:
        """The partition was opened while its lanes ended there."""
        self.backlog = dict(backlog)

    def read_up(self, topic: str) -> None:
        """The runtime has decided all of that lane, whatever stood last in it: a transaction's end is no record."""
        self.backlog.pop(topic, None)

    def _made(self, policies: PolicyBook) -> ConnectorAgent:
        return ConnectorAgent("gar", self._provider, policies) if self._provider else connector("gar", policies)

    async def take(self, topic: str, *messages: Message) -> None:
        first = self.offsets[topic]
        rows = [FetchedRecord(topic, 0, first + n, 0, key, value) for n, (key, value) in enumerate(messages)]
        outbox = self._outbox()
        await handle_each(self.agent, rows, outbox)
        self.offsets[topic] += len(messages)
        self._commit(outbox)

    async def hear(self) -> None:
        """A heartbeat of this instant comes."""
        await self.take(DELETES, heartbeat(self.now_us))

    async def tick(self, seconds: float = 0) -> None:
        self.now_us += round(seconds * 1_000_000)
        outbox = self._outbox()
        account = Account("connectors", "tick", 0, 0)
        await self.agent.tick(outbox, account)
        if not account.is_empty:
            outbox.report(CONNECTORS_AUDIT, account, (0, account.records - 1), self.agent.policy_versions())
        self._commit(outbox)

    async def learn(self, changed: ProviderPolicy) -> None:
        """A policy comes, and the partition is swept."""
        self.book.apply(changed.provider.encode(), bytes_of(changed))
        outbox = self._outbox()
        await sweep_each(self.agent, list(self.state.scan(self.agent.swept, None)), outbox)
        self._commit(outbox)

    def told(self) -> list[tuple[str, Any]]:
        """Pseudonym and record, in the order of telling; a null record is the order to forget."""
        return [(_text(output.key), _json(output.value)) for output in self.sent if output.topic == DIRECTORY]

    def names(self) -> list[str]:
        return [name for name, _ in self.told()]

    def known(self) -> Mapping[str, Any]:
        """What the provider has."""
        return {name: record for name, record in dict(self.told()).items() if record is not None}

    def ledger(self) -> list[tuple[str, int]]:
        """Code and seq of each outcome."""
        return [(code, seq) for _, code, seq in self.entries()]

    def entries(self) -> list[tuple[str, str, int]]:
        """Pair, code and seq of each outcome."""
        outcomes = [(_text(output.key), _json(output.value)) for output in self.sent if output.topic == LEDGER]
        return [(pair, value["code"], value["seq"]) for pair, value in outcomes]

    def accounts(self) -> list[Any]:
        return [_json(output.value) for output in self.sent if output.topic == CONNECTORS_AUDIT]

    def vouched(self) -> list[tuple[int, str]]:
        """Inputs of each account that says up to when all is applied, and that instant."""
        return [(entry["records"], entry["applied_until"]) for entry in self.accounts() if "applied_until" in entry]

    def ended(self) -> Counter[tuple[str, int]]:
        """How often each record of a lane came to an end."""
        return Counter(
            (entry["topic"], offset)
            for entry in self.accounts()
            if entry["topic"] in self.offsets
            for by_end in entry["ends"].values()
            for reasons in by_end.values()
            for ranges in reasons.values()
            for first, last in ranges
            for offset in range(first, last + 1)
        )

    def ends(self) -> list[tuple[str, str]]:
        """End and reason, in order."""
        return [
            (end, reason)
            for entry in self.accounts()
            for by_end in entry["ends"].values()
            for end, reasons in by_end.items()
            for reason in reasons
        ]

    def aside(self, topic: str) -> list[str]:
        """Codes of what was put in quarantine."""
        return [_json(output.value)["code"] for output in self.sent if output.topic == f"{topic}.quarantine"]

    def _outbox(self) -> Outbox:
        lags = frozenset(topic for topic, end in self.backlog.items() if self.offsets[topic] < end)
        return Outbox(
            "connectors", 0, self.state, self.now_us, reached=Reached(backlog=lags, ends=self.read_to),
            partitions=self.partitions,
        )  # fmt: skip

    def _commit(self, outbox: Outbox) -> None:
        self.state.apply(outbox.changes)
        self.sent += outbox.outputs
        outbox.announce()


def _text(key: bytes | None) -> str:
    return (key or b"").decode()


def _json(value: bytes | None) -> Any:
    return None if value is None else orjson.loads(value)
