"""A rebalance storm: workers of one stage come, go and die under load, and once there are more than partitions."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from ops.broker.embedded import EmbeddedBroker
from tests.faults.chance import TIMES, drawn
from tests.faults.guarantees import MARKS, PROVIDERS, SMALL_BATCHES, Guarantees, catch_up, stream_of
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for

pytestmark = MARKS

PARTITIONS = 4
WORKERS = ("filtering", "filtering-2", "filtering-3", "filtering-4")
ONE_TOO_MANY = "filtering-0"
"""Its name comes first, so that one who had a partition is left without."""
STEPS = 8 * TIMES
SHARE = 300


@dataclass
class Storm:
    stages: Stages
    shares: list[int] = field(default_factory=list)
    """How many partitions each of the five workers had open when there were as many."""
    ended: list[int] = field(default_factory=list)
    """Exit codes of those who ended on SIGTERM."""

    def blow(self, messages: list[Message], chance: random.Random) -> None:
        for number in range(STEPS):
            self.stages.publish(messages[number * SHARE : (number + 1) * SHARE])
            wait_for(lambda: False, chance.random())
            if number == STEPS // 2:
                self._crowd()
            else:
                self._turn(chance.choice(WORKERS), chance)

    def _turn(self, name: str, chance: random.Random) -> None:
        """Who is away comes; who is there goes or dies, unless nobody would be left."""
        if name not in self.stages.running:
            self.stages.start(name)
        elif len(self.stages.running) > 1 and chance.random() < 0.5:
            self.ended.append(self.stages.stop(name))
        else:
            self.stages.kill(name)
            if len(self.stages.running) == 0:
                self.stages.start(name)

    def _crowd(self) -> None:
        crowd = (*WORKERS, ONE_TOO_MANY)
        for name in crowd:
            if name not in self.stages.running:
                self.stages.start(name)
        wait_for(lambda: sorted(self.stages.holds(name) for name in crowd) == [0, 1, 1, 1, 1])
        self.shares = sorted(self.stages.holds(name) for name in crowd)
        self.ended.append(self.stages.stop(ONE_TOO_MANY))


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return stream_of(SHARE * STEPS, people=300)


@pytest.fixture(scope="module")
def storm(
    own_broker: EmbeddedBroker, messages: list[Message], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Storm]:
    """The later stages come once the filter has seen all of it."""
    environment = {**SMALL_BATCHES, "SANCTUAIRE_SESSION_TIMEOUT_SECONDS": "2"}
    folder = tmp_path_factory.mktemp("storm")
    with installation(own_broker.bootstrap, folder, PROVIDERS, PARTITIONS, environment) as stages:
        seen = Storm(stages)
        for name in WORKERS[:2]:
            stages.start(name)
        seen.blow(messages, drawn())
        stages.publish(messages[STEPS * SHARE :])
        for name in stages.names[1:]:
            stages.start(name)
        if WORKERS[0] not in stages.running:
            stages.start(WORKERS[0])
        catch_up(stages)
        yield seen


@pytest.fixture(scope="module")
def survivors(storm: Storm) -> Stages:
    return storm.stages


class TestAfterStorm(Guarantees):
    def test_of_more_workers_than_partitions_one_has_none_and_waits(self, storm: Storm) -> None:
        assert storm.shares == [0, 1, 1, 1, 1]

    def test_whoever_is_told_to_end_ends_in_order(self, storm: Storm) -> None:
        assert set(storm.ended) == {0}
