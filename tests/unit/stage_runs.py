"""One stage over a batch, with the topics that came of it."""

from collections.abc import Sequence
from typing import Any

import orjson

from ops.benchmarks.memory_state import MemoryState
from services.contract.policies import ProviderPolicy
from services.runtime.agent import Agent, handle_each, sweep_each, tick
from services.runtime.outbox import Outbox, Reached
from services.runtime.policies import PolicyBook
from services.runtime.records import FetchedRecord
from tests.replay.invented import bytes_of
from tests.replay.rapid import NOW_US


def book(*policies: ProviderPolicy) -> PolicyBook:
    made = PolicyBook("filtering")
    for each in policies:
        made.apply(each.provider.encode(), bytes_of(each))
    made.confirmed_us = NOW_US
    return made


class Stage:
    """An agent, its state, and everything it has sent."""

    def __init__(self, agent: Agent, now_us: int = NOW_US) -> None:
        self.agent = agent
        self.now_us = now_us
        self.state = MemoryState()
        self.sent: list[tuple[str, Any]] = []
        self.raw = b""
        self.reached: Reached | None = None
        """How far the lanes are; null where all is applied up to now."""

    async def take(self, topic: str, *records: tuple[bytes | None, bytes | None], first: int = 0) -> None:
        rows = [FetchedRecord(topic, 0, first + n, 0, key, value) for n, (key, value) in enumerate(records)]
        outbox = self._outbox()
        await handle_each(self.agent, rows, outbox)
        self._keep(outbox)

    async def sweep(self) -> None:
        outbox = self._outbox()
        await sweep_each(self.agent, list(self.state.scan(self.agent.swept, None)), outbox)
        self._keep(outbox)

    async def tick(self, reached: Reached | None = None) -> bool:
        """Whether there is more to do at once."""
        outbox = self._outbox(reached)
        more = await tick(self.agent, outbox)
        self._keep(outbox)
        return more

    def _outbox(self, reached: Reached | None = None) -> Outbox:
        reached = reached or self.reached or Reached(dict.fromkeys(self.agent.lanes, self.now_us))
        return Outbox(self.agent.stage, 0, self.state, self.now_us, reached=reached)

    def of(self, topic: str) -> list[Any]:
        return [value for name, value in self.sent if name == topic]

    def ends(self, topic: str) -> list[Any]:
        return [value["ends"] for value in self.of(topic)]

    def codes(self, topic: str) -> list[str]:
        return [value["code"] for value in self.of(f"{topic}.quarantine")]

    def _keep(self, outbox: Outbox) -> None:
        self.state.apply(outbox.changes)
        for output in outbox.outputs:
            self.sent.append((output.topic, None if output.value is None else orjson.loads(output.value)))
            if "audit" in output.topic or "quarantine" in output.topic:
                self.raw += output.value or b""
        outbox.announce()


def told(payload: Any, key: str) -> tuple[bytes, bytes]:
    return key.encode(), payload.model_dump_json().encode()


def ends_of(stage: Stage, topic: str) -> Sequence[tuple[str, str, str]]:
    """Contract, end and reason of every end, in order."""
    return [
        (contract, end, reason)
        for ends in stage.ends(topic)
        for contract, by_end in ends.items()
        for end, reasons in by_end.items()
        for reason in reasons
    ]
