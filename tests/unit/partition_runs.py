"""The filter over many partitions, one a key: what one tells another is on its way until somebody lets it arrive."""

from collections import defaultdict, deque
from typing import Any, NamedTuple

import orjson

from ops.benchmarks.memory_state import MemoryState
from services.contract.account import Account
from services.contract.policies import ProviderPolicy
from services.contract.topology import FILTERING_AUDIT, MOVES, RELEASES, WITHDRAWALS
from services.filtering.agent import FilteringAgent
from services.filtering.subject import SUBJECT, Subject, load
from services.runtime.agent import handle_each, sweep_each
from services.runtime.outbox import BY_SUBJECT, Outbox, Output, Reached
from services.runtime.records import FetchedRecord
from tests.replay.rapid import NOW_US
from tests.unit.stage_runs import book


class Name(NamedTuple):
    """Under what a provider knows somebody, as far as the filter says: a pseudonym has no more in it."""

    provider: str
    type: str
    value: str


class Sent(NamedTuple):
    """One release, withdrawal or restriction, where it went and as what."""

    partition: str
    topic: str
    name: Name
    seq: int
    fields: Any
    """Null where it takes back."""


class Partitions:
    """One filter; a partition goes by the key that it is of. Batches are of one record unless said otherwise."""

    def __init__(self, *policies: ProviderPolicy) -> None:
        self.put_in_force(*policies)
        self.states: defaultdict[str, MemoryState] = defaultdict(MemoryState)
        self.waiting: defaultdict[tuple[str, str], deque[FetchedRecord]] = defaultdict(deque)
        """Partition and topic → what has not arrived yet, in order."""
        self.sent: list[Sent] = []
        self.told: list[tuple[str, str, Any]] = []
        """Everything else that went out: topic, key and value."""
        self.moved: list[tuple[str, str, bytes]] = []
        """What partitions have told each other, as it travelled."""
        self.ends: list[tuple[str, str, str, str]] = []
        """Topic, contract, end and reason."""
        self._offset = 0
        self._numbers: dict[str, int] = {}

    def put_in_force(self, *policies: ProviderPolicy) -> None:
        """These and no others, for a process that has just begun."""
        self.book = book(*policies)
        self.agent = FilteringAgent(self.book)

    def put(self, topic: str, key: str, value: bytes) -> None:
        self._offset += 1
        self.waiting[key, topic].append(FetchedRecord(topic, self._number(key), self._offset, 0, key.encode(), value))

    def _number(self, key: str) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    @property
    def open_lanes(self) -> list[tuple[str, str]]:
        """The lanes in which something waits, in a fixed order."""
        return sorted(place for place, rows in self.waiting.items() if rows)

    async def arrive(self, key: str, topic: str) -> None:
        """Let the first record of a lane in, and commit what follows."""
        outbox = self._outbox(key)
        await handle_each(self.agent, [self.waiting[key, topic].popleft()], outbox)
        self._commit(key, outbox)

    async def settle(self) -> None:
        """Let everything arrive, by the priority of lanes."""
        while places := self.open_lanes:
            await self.arrive(*min(places, key=lambda place: (self.agent.lanes.index(place[1]), place[0])))

    async def tell(self, topic: str, key: str, value: bytes) -> None:
        """One record, and all that follows from it."""
        self.put(topic, key, value)
        await self.settle()

    async def sweep(self) -> None:
        for key in list(self.states):
            outbox = self._outbox(key)
            await sweep_each(self.agent, list(self.states[key].scan(SUBJECT, None)), outbox)
            self._commit(key, outbox)

    async def tick(self, key: str) -> None:
        """What is due by time in one partition."""
        outbox = self._outbox(key)
        await self.agent.tick(outbox, Account("filtering", "tick", self._number(key), 0))
        self._commit(key, outbox)

    def _outbox(self, key: str) -> Outbox:
        self.book.confirmed_us = NOW_US
        reached = Reached(dict.fromkeys(self.agent.lanes, NOW_US))
        return Outbox("filtering", self._number(key), self.states[key], NOW_US, reached=reached)

    def _commit(self, key: str, outbox: Outbox) -> None:
        self.states[key].apply(outbox.changes)
        for output in outbox.outputs:
            where = (output.key or b"").decode() if output.partition == BY_SUBJECT else key
            self._take(where, output)

    def _take(self, where: str, output: Output) -> None:
        value = orjson.loads(output.value or b"null")
        if output.topic in self.agent.lanes:
            self.put(output.topic, where, output.value or b"")
            self.moved.append((output.topic, where, output.value or b""))
        if output.topic in {RELEASES, WITHDRAWALS} and "named_by" in value:  # not a heartbeat
            named = value["named_by"]
            name = Name(value["provider"], named["type"], named["value"])
            self.sent.append(Sent(where, output.topic, name, value["seq"], value.get("fields")))
        elif output.topic == FILTERING_AUDIT:
            self.ends += [
                (value["topic"], contract, end, reason)
                for contract, by_end in value["ends"].items() for end, reasons in by_end.items() for reason in reasons
            ]  # fmt: skip
        else:
            self.told.append((output.topic, where, value))

    def subject(self, key: str) -> Subject:
        return load(self.states[key].get(SUBJECT + key.encode()))

    def reasons(self, topic: str) -> list[tuple[str, str, str]]:
        """Contract, end and reason of every end of a topic's records, in order."""
        return [end[1:] for end in self.ends if end[0] == topic]

    def moves(self) -> list[str]:
        """What partitions told each other, by kind."""
        kinds = (("on", "claim"), ("state", "moved"), ("record", "forwarded"))
        return [
            next((kind for part, kind in kinds if part in value), "merged")
            for topic, _, value in self.told if topic == MOVES
        ]  # fmt: skip

    def has(self, provider: str) -> dict[Name, Any]:
        """What a provider has in the end, by name: the highest `seq` counts, as at every later stage."""
        last: dict[Name, Sent] = {}
        for one in self.sent:
            if one.name.provider == provider and one.seq > (last[one.name].seq if one.name in last else 0):
                last[one.name] = one
        return {name: one.fields for name, one in last.items() if one.fields is not None}
