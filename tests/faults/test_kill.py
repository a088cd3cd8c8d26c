"""kill -9 and a broker that goes away, in the middle of a stream: nothing lost, nothing doubled, the same end."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import pytest

from ops.broker.embedded import EmbeddedBroker
from services.contract.topology import CHANGES, CONSENTS, RELEASES, WITHDRAWALS
from tests.integration.pipeline_people import expected, policies, stream
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for

pytestmark = [pytest.mark.broker, pytest.mark.timeout(180)]

SEED = 20260915
ROUNDS = 3
COUNT = 3000
PROVIDERS = ("gar", "lecture")
DELIVERED = "audit.connectors.v1"
INPUTS = {
    "filtering": [CHANGES, CONSENTS],
    "pseudonymisation": [RELEASES, WITHDRAWALS],
    "connectors": [f"provisioning.{lane}.{name}.v1" for name in PROVIDERS for lane in ("operations", "withdrawals")],
}


@pytest.fixture(scope="module")
def messages() -> list[Message]:
    return [*policies(), *stream(SEED, COUNT, people=400)]


@pytest.fixture(scope="module")
def survivors(
    own_broker: EmbeddedBroker, messages: list[Message], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stages]:
    """The installation after every fault, once it has caught up or its time is over."""
    chance = random.Random(SEED)  # noqa: S311  # the same faults again
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("faults"), PROVIDERS) as stages:
        for name in stages.names:
            stages.start(name)
        victims = [name for _ in range(ROUNDS) for name in chance.sample(stages.names, len(stages.names))]
        share = len(messages) // len(victims) + 1
        for number, victim in enumerate(victims):
            stages.publish(messages[number * share : (number + 1) * share])
            wait_for(partial(has_grown, stages, len(stages.rows(DELIVERED))), chance.random())
            stages.kill(victim)
            stages.start(victim)
            if number == len(victims) // 2:
                own_broker.restart()
        wait_for(lambda: not stages.revive() and stages.is_done(), 60)
        yield stages


def has_grown(stages: Stages, before: int) -> bool:
    return len(stages.rows(DELIVERED)) > before


def test_every_stage_caught_up_by_itself(survivors: Stages) -> None:
    assert survivors.is_done()


async def test_providers_know_what_the_reference_knows(survivors: Stages, messages: list[Message]) -> None:
    reference = await expected(messages, survivors.keyring, time.time_ns() // 1000)

    assert min(map(len, reference.values())) > 10
    assert {name: survivors.directory(name) for name in PROVIDERS} == reference


@pytest.mark.parametrize("stage", INPUTS)
def test_every_input_has_exactly_one_end_a_contract(survivors: Stages, stage: str) -> None:
    assert survivors.twice_accounted(stage) == []
    assert survivors.unaccounted(stage, INPUTS[stage]) == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_operation_exists_twice(survivors: Stages, provider: str) -> None:
    told = [value for topic in INPUTS["connectors"] if provider in topic for value in survivors.values(topic)]
    doubled = [of for of, count in Counter((value["pseudonym"], value["seq"]) for value in told).items() if count > 1]

    assert len(told) > 100
    assert doubled == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_provider_record_is_delivered_twice(survivors: Stages, provider: str) -> None:
    ids = Counter(dict(row.headers)["ce_id"] for row in survivors.rows(f"providers.{provider}.directory.v1"))

    assert [event for event, count in ids.items() if count > 1] == []


def test_seq_grows_within_every_pair(survivors: Stages) -> None:
    last: dict[tuple[str, str], int] = {}
    fallen = []
    for value in survivors.values(RELEASES):
        pair = (value["subject"], value["contract"])
        if value["seq"] <= last.get(pair, 0):
            fallen.append(pair)
        last[pair] = value["seq"]

    assert fallen == []
