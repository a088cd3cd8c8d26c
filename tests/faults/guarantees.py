"""What must hold after any fault, once every stage has caught up by itself: the same tests for every scenario.

A scenario gives two fixtures: `messages`, all that was published, and `survivors`, what is left of the installation.
"""

import time
from collections import Counter

import pytest

from services.contract.topology import CHANGES, CONSENTS, RELEASES, WITHDRAWALS
from tests.faults.chance import SEED, TIMES
from tests.integration.pipeline_people import expected, joins, policies, stream
from tests.integration.pipeline_stages import Message, Stages, wait_for

MARKS = [
    pytest.mark.broker,
    pytest.mark.timeout(180 * TIMES),
    # kafka-python leaves the socket open of a connection that was being made when its client was closed.
    pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"),
]
PROVIDERS = ("gar", "lecture")
DELIVERED = "audit.connectors.v1"
INPUTS = {
    "filtering": [CHANGES, CONSENTS],
    "pseudonymisation": [RELEASES, WITHDRAWALS],
    "connectors": [f"provisioning.{lane}.{name}.v1" for name in PROVIDERS for lane in ("operations", "withdrawals")],
}
SMALL_BATCHES = {"SANCTUAIRE_BATCH_RECORDS": "25"}
"""Many transactions, so that a fault meets one."""


def stream_of(count: int, people: int) -> list[Message]:
    return [*policies(), *stream(SEED, count, people)]


def with_newcomers(count: int) -> list[Message]:
    """Half of them are newcomers, whom every later stage hears of."""
    half = count // 2
    newcomers = [joins(10_000 + number) for number in range(half)]
    return [message for pair in zip(stream_of(half, people=80), newcomers, strict=False) for message in pair]


def catch_up(stages: Stages, seconds: float = 90.0) -> None:
    """Wait until every stage has decided all that there is, as under a supervisor: who has ended is started again."""
    wait_for(lambda: not stages.revive() and stages.is_done(), seconds)


class Guarantees:
    def test_every_stage_caught_up_by_itself(self, survivors: Stages) -> None:
        assert survivors.is_done()

    async def test_providers_know_what_the_reference_knows(self, survivors: Stages, messages: list[Message]) -> None:
        reference = await expected(messages, survivors.keyring, time.time_ns() // 1000)

        assert min(map(len, reference.values())) > 10
        assert {name: survivors.directory(name) for name in PROVIDERS} == reference

    @pytest.mark.parametrize("stage", INPUTS)
    def test_every_input_has_exactly_one_end_a_contract(self, survivors: Stages, stage: str) -> None:
        assert survivors.twice_accounted(stage) == []
        assert survivors.unaccounted(stage, INPUTS[stage]) == []

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_no_operation_exists_twice(self, survivors: Stages, provider: str) -> None:
        told = [value for topic in INPUTS["connectors"] if provider in topic for value in survivors.values(topic)]
        count = Counter((value["pseudonym"], value["seq"]) for value in told)

        assert len(told) > 20
        assert [operation for operation, times in count.items() if times > 1] == []

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_no_provider_record_is_delivered_twice(self, survivors: Stages, provider: str) -> None:
        ids = Counter(dict(row.headers)["ce_id"] for row in survivors.rows(f"providers.{provider}.directory.v1"))

        assert [event for event, count in ids.items() if count > 1] == []

    def test_seq_grows_within_every_pair(self, survivors: Stages) -> None:
        last: dict[tuple[str, str], int] = {}
        fallen = []
        for value in survivors.values(RELEASES):
            pair = (value["subject"], value["contract"])
            if value["seq"] <= last.get(pair, 0):
                fallen.append(pair)
            last[pair] = value["seq"]

        assert fallen == []
