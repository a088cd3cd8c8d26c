"""kill -9 under load, 20 times, and a broker that goes away: nothing lost, nothing doubled, the same end."""

from collections.abc import Iterator
from functools import partial

import pytest

from ops.broker.embedded import EmbeddedBroker
from tests.faults.chance import TIMES, drawn
from tests.faults.guarantees import DELIVERED, MARKS, PROVIDERS, SMALL_BATCHES, Guarantees, catch_up, stream_of
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for

pytestmark = MARKS

KILLS = 20 * TIMES


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return stream_of(150 * KILLS, people=400)


@pytest.fixture(scope="module")
def survivors(
    own_broker: EmbeddedBroker, messages: list[Message], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stages]:
    """The installation after every kill, once it has caught up or its time is over."""
    chance = drawn()
    folder = tmp_path_factory.mktemp("kill")
    with installation(own_broker.bootstrap, folder, PROVIDERS, environment=SMALL_BATCHES) as stages:
        for name in stages.names:
            stages.start(name)
        # All of them at least once, and who is to die is in the middle of its work.
        victims = [*stages.names, *chance.choices(stages.names, k=KILLS - len(stages.names))]
        chance.shuffle(victims)
        share = len(messages) // KILLS + 1
        for number, victim in enumerate(victims):
            stages.publish(messages[number * share : (number + 1) * share])
            wait_for(partial(has_grown, stages, len(stages.rows(DELIVERED))), chance.random())
            stages.kill(victim)
            stages.start(victim)
            if number == KILLS // 2:
                own_broker.restart()
        catch_up(stages)
        yield stages


def has_grown(stages: Stages, before: int) -> bool:
    return len(stages.rows(DELIVERED)) > before


class TestAfterKills(Guarantees):
    pass
