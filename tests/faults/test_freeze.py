"""SIGSTOP in the middle of a transaction, past the session's timeout, and SIGCONT: a zombie leaves nothing behind."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest

from ops.broker.embedded import EmbeddedBroker
from tests.faults.chance import TIMES, drawn
from tests.faults.guarantees import MARKS, PROVIDERS, SMALL_BATCHES, Guarantees, catch_up, with_newcomers
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for

pytestmark = MARKS

STAGES = ("filtering", "pseudonymisation") * TIMES
SHARE = 1000
PORTION = 25
EX_SOFTWARE = 70


@dataclass
class Freezing:
    """What was seen of each worker that was frozen."""

    stages: Stages
    caught_in_a_transaction: list[bool] = field(default_factory=list)
    succeeded: list[bool] = field(default_factory=list)
    ended_with: list[int] = field(default_factory=list)
    """Exit codes of those who ended themselves; who was assigned partitions anew is not here."""
    settled: list[bool] = field(default_factory=list)

    def freeze(self, name: str, messages: list[Message], chance: random.Random) -> None:
        """Stop one of two workers, let the other take over, and wake the first."""
        stages, heir, left = self.stages, f"{name}-2", list(messages)
        self.caught_in_a_transaction.append(_freeze_in_a_transaction(stages, name, left, chance))
        stages.publish(left)
        self.succeeded.append(wait_for(partial(self._has_taken_over, heir)))
        assigned = len(stages.assignments(name))
        stages.thaw(name)
        self.settled.append(wait_for(partial(self._is_settled, name, assigned)))
        self.ended_with += stages.revive()
        wait_for(lambda: stages.holds(name) == stages.holds(heir) == stages.partitions // 2)

    def _has_taken_over(self, heir: str) -> bool:
        """If it ends meanwhile, it is started again, as under a supervisor."""
        self.ended_with += self.stages.revive(heir)
        return self.stages.holds(heir) == self.stages.partitions

    def _is_settled(self, name: str, assigned: int) -> bool:
        return self.stages.running[name].poll() is not None or len(self.stages.assignments(name)) > assigned


def _freeze_in_a_transaction(stages: Stages, name: str, left: list[Message], chance: random.Random) -> bool:
    """Freeze it at work, again and again, until it holds a transaction open; whether one was met.

    What was published meanwhile is no longer left.
    """
    with stages.transactions(f"audit.{name}.v1") as open_now:
        while left:
            stages.publish(left[:PORTION])
            del left[:PORTION]
            deadline = time.monotonic() + chance.random()
            while not open_now() and time.monotonic() < deadline:
                pass  # a transaction is soon over
            stages.freeze(name)
            # The other worker ends its own by itself.
            if not wait_for(lambda: not open_now(), 1.0):
                return True
            stages.thaw(name)
    stages.freeze(name)
    return False


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return with_newcomers(SHARE * len(STAGES))


@pytest.fixture(scope="module")
def freezing(
    own_broker: EmbeddedBroker, messages: list[Message], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Freezing]:
    """Two workers of a stage, of which one is frozen; the connectors come once all is over."""
    chance = drawn()
    environment = {**SMALL_BATCHES, "SANCTUAIRE_SESSION_TIMEOUT_SECONDS": "2"}
    folder = tmp_path_factory.mktemp("freeze")
    with installation(own_broker.bootstrap, folder, PROVIDERS, partitions=4, environment=environment) as stages:
        seen = Freezing(stages)
        workers = [f"{name}{worker}" for name in dict.fromkeys(STAGES) for worker in ("", "-2")]
        for name in workers:
            stages.start(name)
        wait_for(lambda: [stages.holds(name) for name in workers] == [2] * len(workers))
        share = len(messages) // len(STAGES) + 1
        for number, name in enumerate(STAGES):
            seen.freeze(name, messages[number * share : (number + 1) * share], chance)
        for name in stages.names[2:]:
            stages.start(name)
        catch_up(stages)
        yield seen


@pytest.fixture(scope="module")
def survivors(freezing: Freezing) -> Stages:
    return freezing.stages


class TestAfterFreezing(Guarantees):
    def test_the_other_worker_took_over_and_the_zombie_ended_or_joined_again(self, freezing: Freezing) -> None:
        assert freezing.caught_in_a_transaction == [True] * len(STAGES)
        assert freezing.succeeded == [True] * len(STAGES)
        assert freezing.settled == [True] * len(STAGES)
        assert set(freezing.ended_with) <= {EX_SOFTWARE}
