"""What can befall a connector in any order, and the provider's state that must come of it. Asserts nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hypothesis import strategies as st

from services.contract.policies import ProviderPolicy
from services.runtime.agent import NotYet
from tests.replay.invented import contract_with, policy
from tests.unit.connector_runs import DELETES, UPSERTS, Connector, delete, heartbeat, upsert

NAMES = ("a" * 32, "b" * 32, "c" * 32)
LEVELS = ("6EME", "5EME", "4EME")
FAR_OFF = 10**9
OVER = contract_with(until="2026-09-14")


@dataclass(frozen=True, slots=True)
class Said:
    """Somebody is to be known as in this level, or, without one, to be forgotten."""

    name: str
    seq: int
    level: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something happens."""

    kind: Literal["normal", "express", "heartbeat", "tick", "policy", "restart"]
    number: int = 0
    """How many records are read; how many seconds pass; which policy comes."""
    backlog: bool = False


def policies(number: int, version: int) -> ProviderPolicy:
    """Live, windowed, over."""
    contracts = (contract_with(), contract_with(release_window_seconds=7), OVER)[number % 3]
    return policy(version=version, contracts=contracts)


@st.composite
def lanes(draw: st.DrawFn) -> tuple[list[Said], list[Said]]:
    """The normal and the express lane: the seq of a pair grows along each, and no seq is given twice."""
    normal: list[Said] = []
    express: list[Said] = []
    for seq in range(1, draw(st.integers(1, 14)) + 1):
        name = draw(st.sampled_from(NAMES))
        level = draw(st.sampled_from((*LEVELS, *LEVELS, None)))
        overtakes = draw(st.booleans())
        (express if level is None and overtakes else normal).append(Said(name, seq, level))
    replayed: bool = draw(st.booleans())
    if normal and replayed:
        normal.append(draw(st.sampled_from(normal)))
    return normal, express


events = st.lists(
    st.one_of(
        st.builds(Event, st.just("normal"), st.integers(1, 4)),
        st.builds(Event, st.just("express"), st.integers(1, 4)),
        st.builds(Event, st.just("heartbeat"), st.sampled_from((0, 0, 0, 29, 31))),
        st.builds(Event, st.just("tick"), st.sampled_from((0, 1, 8, 8, 31))),
        st.builds(Event, st.just("policy"), st.sampled_from((0, 1, 1, 2))),
        st.builds(Event, st.just("restart"), st.just(0), st.booleans()),
    ),
    min_size=6,
    max_size=30,
)


@dataclass
class Course:
    """A connector that goes through events, with what an onlooker sees of it."""

    normal: list[Said]
    express: list[Said]
    connector: Connector = field(default_factory=lambda: Connector(policies(0, 4)))
    read: dict[str, int] = field(default_factory=lambda: {UPSERTS: 0, DELETES: 0})
    version: int = 4
    in_force: int = 0
    heard_us: int | None = None
    lag: dict[str, int] = field(default_factory=dict)
    """How many records of each lane lay before the process when it was started."""
    breaches: list[str] = field(default_factory=list)

    async def meet(self, event: Event) -> None:
        before = len(self.connector.told())
        match event.kind:
            case "normal":
                await self._read(UPSERTS, self.normal, event.number)
            case "express":
                await self._read(DELETES, self.express, event.number)
            case "heartbeat":
                self.heard_us = self.connector.now_us - event.number * 1_000_000
                await self.connector.take(DELETES, heartbeat(self.heard_us))
            case "tick":
                await self.connector.tick(event.number)
            case "policy":
                self.version, self.in_force = self.version + 1, event.number
                await self.connector.learn(policies(event.number, self.version))
            case "restart":
                self._restart(backlog=event.backlog)
        self._watch(self.connector.told()[before:])

    async def end(self) -> None:
        """Everything is read, the contract is in force, the consents are fresh, and every window ends."""
        for event in (
            Event("policy", 0), Event("heartbeat"), Event("normal", 99), Event("express", 99),
            Event("tick", 20), Event("heartbeat"), Event("tick"),
        ):  # fmt: skip
            await self.meet(event)

    def _restart(self, *, backlog: bool) -> None:
        self.connector.restart()
        self.lag = {UPSERTS: len(self.normal), DELETES: len(self.express)} if backlog else {}
        # Heartbeats take offsets too, so that the runtime says when the lag is read, not the offset of a record.
        self.connector.opened({topic: FAR_OFF for topic, end in self.lag.items() if self.read[topic] < end})

    async def _read(self, topic: str, lane: list[Said], count: int) -> None:
        batch = lane[self.read[topic] : self.read[topic] + count]
        if not batch:
            return
        try:
            await self.connector.take(topic, *[message(said) for said in batch])
        except NotYet:
            return
        self.read[topic] += len(batch)
        if self.read[topic] >= self.lag.get(topic, 0):
            self.connector.read_up(topic)

    def _watch(self, told: list[tuple[str, Any]]) -> None:
        """What may never be seen, whatever happens."""
        if len({name for name, _ in told}) < len(told):
            self.breaches.append("twice in one round")
        if any(record is not None for _, record in told):
            if self.heard_us is None or not -5_000_000 <= self.connector.now_us - self.heard_us < 30_000_000:
                self.breaches.append("while stale")
            if self.in_force == 2:
                self.breaches.append("after the cut-off")
            if any(self.read[topic] < end for topic, end in self.lag.items()):
                self.breaches.append("before the backlog was read")

    def due(self) -> Mapping[str, Any]:
        """The reference model: the highest seq of each pair has the last word."""
        last: dict[str, Said] = {}
        for said in (*self.normal, *self.express):
            if said.name not in last or said.seq > last[said.name].seq:
                last[said.name] = said
        return {
            name: {"kind": "pupil", "purpose": "pedagogical-access", "fields": {"level": said.level}}
            for name, said in last.items()
            if said.level is not None
        }


def message(said: Said) -> tuple[bytes | None, bytes | None]:
    if said.level is None:
        return delete(said.seq, said.name)
    return upsert(said.seq, said.name, fields={"level": said.level})
