"""SIGCONT just as another worker takes over: partitions go back and forth while they are being opened."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from ops.broker.embedded import EmbeddedBroker
from tests.faults.chance import TIMES, drawn
from tests.faults.guarantees import MARKS, PROVIDERS, SMALL_BATCHES, Guarantees, catch_up, with_newcomers
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for

pytestmark = MARKS

PAIRS = tuple((stage, f"{stage}-2") for stage in ("filtering", "pseudonymisation"))
FROZEN = tuple(name for pair in PAIRS for name in pair) * TIMES
SHARE = 500
EX_SOFTWARE = 70
MOST_SECONDS = 0.15
"""A partition is opened within about this."""


@dataclass
class Thawing:
    """What was seen of each worker that was frozen, and thawed as soon as its partitions were another's."""

    stages: Stages
    taken_over: list[bool] = field(default_factory=list)
    shared_again: list[bool] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)

    def thaw(self, name: str, messages: list[Message], chance: random.Random) -> None:
        stages = self.stages
        (heir,) = {other for pair in PAIRS if name in pair for other in pair} - {name}
        before = {worker: len(stages.assignments(worker)) for worker in (name, heir)}
        stages.publish(messages[: SHARE // 2])
        stages.freeze(name)
        self.taken_over.append(wait_for(lambda: stages.partitions in stages.assignments(heir)[before[heir] :]))
        wait_for(lambda: False, chance.random() * MOST_SECONDS)
        stages.thaw(name)
        stages.publish(messages[SHARE // 2 :])
        self.shared_again.append(wait_for(partial(self._is_shared_again, name, heir, before[name])))

    def _is_shared_again(self, name: str, heir: str, before: int) -> bool:
        """Who has ended is started again, as under a supervisor."""
        self.ended += self.stages.revive()
        half = self.stages.partitions // 2
        return len(self.stages.assignments(name)) > before and {*map(self.stages.holds, (name, heir))} == {half}


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return with_newcomers(SHARE * len(FROZEN))


@pytest.fixture(scope="module")
def thawing(
    own_broker: EmbeddedBroker, messages: list[Message], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Thawing]:
    chance = drawn()
    environment = {**SMALL_BATCHES, "SANCTUAIRE_SESSION_TIMEOUT_SECONDS": "2"}
    folder = tmp_path_factory.mktemp("thaw")
    with installation(own_broker.bootstrap, folder, PROVIDERS, partitions=4, environment=environment) as stages:
        seen = Thawing(stages)
        for name in dict.fromkeys(FROZEN):
            stages.start(name)
        wait_for(lambda: all(stages.holds(name) == stages.partitions // 2 for name in dict.fromkeys(FROZEN)))
        for number, name in enumerate(FROZEN):
            seen.thaw(name, messages[number * SHARE : (number + 1) * SHARE], chance)
        stages.publish(messages[len(FROZEN) * SHARE :])
        for name in stages.names[2:]:
            stages.start(name)
        catch_up(stages)
        yield seen


@pytest.fixture(scope="module")
def survivors(thawing: Thawing) -> Stages:
    return thawing.stages


class TestAfterThawing(Guarantees):
    def test_the_other_worker_took_over_and_both_shared_again(self, thawing: Thawing) -> None:
        assert thawing.taken_over == [True] * len(FROZEN)
        assert thawing.shared_again == [True] * len(FROZEN)

    def test_nobody_had_to_end_but_who_was_told_that_the_broker_does_not_know(self, thawing: Thawing) -> None:
        """A commit that reaches it in the midst of fencing gets UNKNOWN_SERVER_ERROR: rare, and no fence to us."""
        assert set(thawing.ended) <= {EX_SOFTWARE}
        assert len(thawing.ended) <= TIMES
