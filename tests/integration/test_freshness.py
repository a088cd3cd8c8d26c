"""A filter whose consents or policies stop coming: it releases nothing, takes back what is owed, and recovers."""

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient

from ops.broker.embedded import EmbeddedBroker
from ops.supervisor import Service, Supervisor
from ops.topics import apply_topics, wanted_topics
from services.contract.topology import FILTERING_AUDIT, POLICIES
from tests.integration.pipeline_people import decides, ine, joins, leaves, policies
from tests.integration.pipeline_stages import Stages, installation, wait_for

pytestmark = pytest.mark.broker

FRESH_SECONDS = "3"
AT = "2026-09-10T10:00:00+02:00"


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("fresh"), ("gar", "lecture"), partitions=1) as made:
        made.publish(policies())
        yield made


@pytest.fixture(scope="module")
def filtering(stages: Stages) -> Iterator[Supervisor]:
    environment = {**stages.environment, "SANCTUAIRE_FRESH_SECONDS": FRESH_SECONDS}
    service = Service("filtering", "tests.integration.waiting_filter", environment, "filtering")
    with Supervisor(services=(service,), folder=stages.folder / "services") as supervisor:
        yield supervisor


def ended(stages: Stages, end: str, reason: str) -> int:
    """How many decisions for gar the filter has accounted for in this way."""
    ranges = [
        each
        for entry in stages.values(FILTERING_AUDIT)
        for each in entry["ends"].get("gar/GAR-2026", {}).get(end, {}).get(reason, ())
    ]
    return sum(last - first + 1 for first, last in ranges)


def released(stages: Stages) -> set[str]:
    return {value["subject"] for value in stages.values("provisioning.releases.v1")}


def withdrawn(stages: Stages) -> set[str]:
    return {value["subject"] for value in stages.values("provisioning.withdrawals.v1")}


def join_until_held(stages: Stages, first: int, code: str) -> int:
    """Have one pupil after another join until one is held with this code; her number."""
    numbers = iter(range(first, first + 400))
    number = first

    def is_held() -> bool:
        nonlocal number
        number = next(numbers)
        stages.publish([joins(number)])
        return wait_for(lambda: ended(stages, "held", code) > 0, 0.2)

    assert wait_for(is_held)
    return number


def test_consents_that_wait_hold_every_release_and_no_erasure(stages: Stages, filtering: Supervisor) -> None:
    stages.publish([joins(0)])
    assert wait_for(lambda: released(stages) == {ine(0)})
    wait = filtering.folder / "filtering" / "wait"
    wait.touch()
    stages.publish([decides(0, "child", "given", AT)])
    held = join_until_held(stages, 1, "stale-consents")
    stages.publish([leaves(0, "20261001.1.000000001")])
    assert wait_for(lambda: withdrawn(stages) == {ine(0)})
    while_stale = released(stages)
    wait.unlink()
    assert wait_for(lambda: ine(held) in released(stages))

    assert ine(held) not in while_stale
    assert ended(stages, "released", "R3/public-task") == len(released(stages))


def test_policies_that_nobody_can_read_any_more_hold_every_release(stages: Stages, filtering: Supervisor) -> None:
    assert filtering.services
    admin = KafkaAdminClient(bootstrap_servers=stages.bootstrap)
    try:
        admin.delete_topics([POLICIES])
    finally:
        admin.close()
    held = join_until_held(stages, 1000, "stale-policies")
    while_stale = released(stages)
    apply_topics([stages.bootstrap], wanted_topics(("gar", "lecture"), 1))
    stages.publish(policies(version=11))
    assert wait_for(lambda: ine(held) in released(stages), 60.0)

    assert ine(held) not in while_stale
