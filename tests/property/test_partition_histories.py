"""Whatever happens to a partition, and in whichever order: it ends where a reader would who is never disturbed.

Nothing is lost, nothing is said twice, nothing rests on what is not durable, no heartbeat is ahead of what is decided.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

import orjson
import pytest
from aiokafka.errors import ProducerFenced
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from services.runtime import duties, schedule, steps, work
from services.runtime.outbox import Output
from services.runtime.state import OFFSET
from tests.property.partition_lives import LANES, Cluster, Counting, Worker


class History:
    """Plays one event after another, and starts whoever has ended again."""

    def __init__(self) -> None:
        self.cluster, self.agent = Cluster(), Counting()

    async def play(self, events: Sequence[tuple[str, Any]]) -> None:
        self.worker = Worker(self.cluster, self.agent)
        await self.worker.divide(1)
        for event, value in events:
            await getattr(self, event)(value)
        self.agent.waits, self.cluster.error = False, None
        self.agent.goes.set()
        await self.commits(2000)
        await self.divide(2)
        async with asyncio.timeout(20):
            while not self.worker.is_done:
                await self.passes(22)
                self.worker.host.work.second()
        assert self.worker.host.partitions[0].pending == {}
        await self.worker.die()

    async def say(self, said: tuple[str, list[bytes]]) -> None:
        self.cluster.said[said[0]] += said[1]

    async def passes(self, loops: int) -> None:
        for _ in range(loops):
            self.worker.fetching.fetch(1 + loops % 3)
            await asyncio.sleep(0)
            if self.worker.failures:
                await self.dies(0)

    async def second(self, _: int) -> None:
        self.worker.host.work.second()

    async def commits(self, number: int) -> None:
        for _ in range(number):
            self.cluster.turns.release()

    async def fails(self, fenced: bool) -> None:  # noqa: FBT001  # an event's value
        self.cluster.error = ProducerFenced() if fenced else ConnectionError()
        self.cluster.turns.release()

    async def divide(self, generations: int) -> None:
        await self.worker.divide(generations)

    async def dies(self, _: int) -> None:
        await self.worker.die()
        self.worker = Worker(self.cluster, self.agent)
        await self.worker.divide(1)

    async def waits(self, waits: bool) -> None:  # noqa: FBT001  # an event's value
        self.agent.waits = waits

    async def stops(self, stops: bool) -> None:  # noqa: FBT001  # an event's value
        if stops:
            self.agent.goes.clear()
        else:
            self.agent.goes.set()

    async def ages(self, _: int) -> None:
        """What is remembered rests on something else from now on."""
        self.agent.token = b"t%d" % (int(self.agent.token[1:]) + 1)


SAID = (b"a", b"a", b"raise", b"wait")
EVENTS: dict[str, Callable[[Random], Any]] = {
    "say": lambda chance: (chance.choice(LANES), chance.choices(SAID, k=chance.randint(1, 5))),
    "passes": lambda chance: chance.randint(1, 12),
    "second": lambda _: 0,
    "commits": lambda chance: chance.randint(1, 2),
    "waits": lambda chance: chance.random() < 0.5,
    "stops": lambda chance: chance.random() < 0.5,
    "ages": lambda _: 0,
    "fails": lambda chance: chance.random() < 0.5,
    "divide": lambda chance: chance.randint(1, 2),
    "dies": lambda _: 0,
}
OFTEN = (3, 4, 1, 2, 1, 2, 1, 1, 1, 1)


@pytest.fixture(autouse=True, scope="module")
def _small() -> Any:
    """Steps, chunks and transactions of two or three, and a turn of the loop between two jobs: more can happen then."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (work, steps):
            patch.setattr(module, "RETRY_SECONDS", 0.0001)
        patch.setattr(work, "ARRIVAL_TURNS", 1)
        for name, value in {"TOGETHER": 3, "FEWEST": 2, "STEP_SECONDS": 0.0, "GATHER_MOST": 9}.items():
            patch.setattr(schedule, name, value)
        patch.setattr(duties, "SWEEP_CHUNK", 2)
        yield


@settings(max_examples=400, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(st.integers(0, 2**32 - 1))
def test_whatever_happens_all_is_said_once_in_order_and_nothing_ahead_of_its_time(seed: int) -> None:
    chance = Random(seed)  # noqa: S311  # a history again
    names = chance.choices(tuple(EVENTS), OFTEN, k=chance.randint(0, 40))
    events = [(name, EVENTS[name](chance)) for name in names]
    history = History()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(schedule, "GATHER_SECONDS", chance.choice((0.0, 60.0)))
        asyncio.run(history.play(events))
    verify(history)


def verify(history: History) -> None:
    said, journal = history.cluster.said, history.cluster.journal
    told = [output for outputs, _ in journal for output in outputs]
    out = [output for output in told if output.topic == "out"]
    swept = [(output.key, output.value) for output in told if output.topic == "swept"]
    state = history.cluster.state()

    assert [output.value for output in out] == [b"%d" % (n + 1) for n in range(len(out))]
    for lane, values in said.items():
        fine = [f"{lane}/{n}".encode() for n, value in enumerate(values) if value != b"raise"]
        assert [output.key for output in out if output.key in fine] == fine
        aside = [orjson.loads(output.value or b"")["offset"] for output in told if output.topic == f"{lane}.quarantine"]
        assert aside == [n for n, value in enumerate(values) if value == b"raise"]
    assert len(swept) == len(set(swept))
    assert {value for _, value in state.scan(b"s/", None)} <= {history.agent.token}
    assert_no_beat_is_ahead(journal)


def assert_no_beat_is_ahead(journal: Sequence[tuple[list[Output], Mapping[bytes, bytes | None]]]) -> None:
    reached = dict.fromkeys(LANES, 0)
    for outputs, changes in journal:
        reached |= {lane: int(at) for lane in LANES if (at := changes.get(OFFSET + lane.encode())) is not None}
        for output in outputs:
            if output.topic == "beat":
                assert all(end <= reached[lane] for lane, end in orjson.loads(output.value or b"").items())
