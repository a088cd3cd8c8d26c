"""What a simulation shows is what the three stages lead to: the same records under the same names."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from ops.simulation.chain import Chain
from ops.simulation.population import Population
from ops.simulation.records import Records
from ops.simulation.tally import Tally
from services.contract.changes import Change, parse_change
from services.contract.consents import ConsentDecision
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, CONSENTS
from services.pseudonymisation.keyring import first_keyring
from tests.integration.pipeline_people import expected, policies, stream
from tests.integration.pipeline_people import joins as joined
from tests.integration.pipeline_stages import Message
from tests.replay.invented import consent, for_families, guardian_joins, joins, patch, policy
from tests.replay.rapid import KEYRING, NOW_US

NOW = datetime.fromtimestamp(NOW_US / 1_000_000, UTC)


def simulated(messages: list[Message], under: ProviderPolicy) -> tuple[dict[str, Any], Tally]:
    tally, chain = Tally(under), Chain(under, KEYRING, NOW)
    population, seen = Population(), Records()
    for topic, _, value in messages:
        if topic == CHANGES:
            population.fold(parse_change(value or b""))
        if topic == CONSENTS:
            population.take(ConsentDecision.model_validate_json(value or b""))
    for key, subject in population:
        tally.people += 1
        for outcome in chain.follow(key, subject) or ():
            tally.count(outcome)
            if outcome.seen:
                seen.add(outcome.seen)
    return {each.pseudonym: orjson.loads(each.record) for each in seen}, tally


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_simulation_shows_what_the_stages_lead_to(seed: int) -> None:
    # Everybody is first told of by her INE, as a complete export does: it is the key that the families' words have.
    met = [joined(number, "20260801.0.000000001") for number in range(40)]
    messages = [*policies(), *met, *stream(seed=seed, count=300, people=40)]
    reference = await expected(messages, KEYRING, NOW_US)

    assert reference["gar"]
    for _, key, value in policies():
        provider = (key or b"").decode()
        known, tally = simulated(messages, ProviderPolicy.model_validate_json(value or b""))
        assert known == reference[provider]
        assert sum(of.records for of in tally.contracts.values()) == len(known)


def follow(under: ProviderPolicy, keyring: Any = KEYRING, **attributes: Any) -> list[tuple[str, str]]:
    population = Population()
    population.fold(joins(attributes=attributes))
    ((key, subject),) = population
    return [(each.end, each.reason) for each in Chain(under, keyring, NOW).follow(key, subject) or ()]


def test_a_keyring_of_another_perimeter_is_refused_by_the_pseudonymiser_s_own_check() -> None:
    other = first_keyring("BE", bytes(range(32)))

    assert follow(policy(), other) == [("refused", "contract-not-in-force")]


def test_a_school_that_has_no_name_to_give_is_refused_with_its_code() -> None:
    assert follow(policy(), school="0999001A") == [("refused", "not-an-identifier")]


def test_who_is_told_of_by_a_patch_alone_is_nobody_yet() -> None:
    population = Population()
    population.fold(patch("20260916.1.000000001", level="5EME"))
    ((key, subject),) = population

    assert Chain(policy(), KEYRING, NOW).follow(key, subject) is None


def test_a_person_stays_under_the_key_of_her_first_change() -> None:
    population = Population()
    population.fold(joins(attributes={"ine": None}))
    population.fold(joins(version="20260917.0.000000001", attributes={"level": "4EME"}))
    population.take(consent("child", "given", "2026-09-04T10:00:00+02:00", subject="aaf-d99:999-1001"))
    ((key, subject),) = population

    assert len(population) == 1
    assert (key, subject.images["aaf-d99"].attributes["level"]) == ("aaf-d99:999-1001", "4EME")
    assert len(subject.consents) == 1


@pytest.mark.parametrize(
    ("pupils", "expected"),
    [
        pytest.param([joins()], ("released", "R3/public-task"), id="with a pupil whom the provider would have"),
        pytest.param([joins(attributes={"level": None, "given_name": None})], ("withheld", "R2/no-linked-pupil"),
                     id="with a pupil who is not released"),
        pytest.param([], ("withheld", "R2/no-linked-pupil"), id="without a pupil"),
    ],
)  # fmt: skip
def test_a_guardian_is_seen_with_a_pupil_who_links_her(pupils: list[Change], expected: tuple[str, str]) -> None:
    chain, guardian = Chain(for_families(), KEYRING, NOW), "aaf-d99:999-2001"
    population = Population()
    for change in [guardian_joins(), *pupils]:
        population.fold(change)
    for key, subject in population:
        for link in chain.links_of(key, subject):
            population.tie(link)

    (outcome,) = list(chain.follow(guardian, population.find(guardian)) or [])
    # Her other guardian is in no file, and so nobody.
    assert len(population) == 1 + len(pupils)
    assert (outcome.end, outcome.reason) == expected
    assert (outcome.seen is not None) == (expected[0] == "released")


def test_links_are_asked_about_only_where_guardians_may_be_known() -> None:
    assert Chain(for_families(), KEYRING, NOW).links
    assert not Chain(policy(), KEYRING, NOW).links
