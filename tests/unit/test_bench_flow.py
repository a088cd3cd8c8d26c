"""What the benchmark of the flow computes, and that its invented input is what the services take it for."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.benchmarks.arrivals import Arrival
from ops.benchmarks.bench_policies import bench_policies, with_consent
from ops.benchmarks.findings import Findings
from ops.benchmarks.households import (
    GIVEN_AT,
    Message,
    decides,
    is_renamed,
    joins,
    number_of,
    partition_of,
    remembered,
)
from ops.benchmarks.memory import per_million
from ops.benchmarks.pacing import Span, Work, due, latencies, quantile
from ops.benchmarks.pipeline import by_provider, note_rates
from ops.benchmarks.withdrawal import conclude
from services.contract.consents import ConsentDecision
from services.contract.parsing import parse_payload
from services.contract.policies import policy_digest
from services.contract.told_changes import read_change
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold, take
from services.filtering.subject import NOBODY, Subject, load
from services.filtering.terms import Terms, terms_of

NOW = datetime(2026, 9, 22, 8, tzinfo=UTC)


@pytest.mark.parametrize(("elapsed", "records"), [(0.0, 1), (0.099, 1), (0.1, 2), (0.35, 4), (1.0, 11)])
def test_each_record_is_due_at_its_instant_and_the_first_at_once(elapsed: float, records: int) -> None:
    assert due(10.0, elapsed) == records


def test_nobody_catches_up_by_bursts_what_is_due_is_only_ever_more() -> None:
    assert [due(5.0, tenths / 10) for tenths in range(7)] == [1, 1, 2, 2, 3, 3, 4]


@pytest.mark.parametrize(("share", "value"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)])
def test_a_quantile_is_one_of_the_values(share: float, value: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], share) == value


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 1))
def test_no_more_than_the_rest_exceeds_a_quantile(values: list[float], share: float) -> None:
    above = sum(value > quantile(values, share) for value in values)
    assert above <= (1 - share) * len(values) + 1e-6 * len(values)


def test_of_nothing_there_is_no_quantile() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        quantile([], 0.5)


def test_latency_is_from_acknowledgement_to_sight_once_the_pace_is_found() -> None:
    assert latencies({0: 1.0, 1: 2.0, 2: 3.0, 3: 4.0}, {0: 1.5, 1: 2.25, 3: 4.5}, since=2.0) == [0.25, 0.5]


def test_a_stage_is_at_work_from_its_first_batch_to_its_last_commit() -> None:
    span = Span.of([Work(100, 11.0, 12.0), Work(300, 10.0, 11.5), Work(200, 12.0, 14.0)])
    assert (span.inputs, span.seconds, span.rate) == (600, 4.0, 150.0)


def test_the_share_is_that_of_the_slowest_stage_in_changes() -> None:
    findings = Findings()
    note_rates(findings, 1000, 5.0, {"filtering": Span(1000, 4.0), "pseudonymisation": Span(3000, 2.0)})
    figures = {name: one.median for name, one in findings.figures.items()}
    assert figures == {
        "pipeline/rate": 200.0,
        "pipeline/provider_records_per_second": 600.0,
        "pipeline/share_of_slowest_stage": 0.8,
        "pipeline/filtering/inputs_per_second": 250.0,
        "pipeline/filtering/changes_per_second": 250.0,
        "pipeline/pseudonymisation/inputs_per_second": 1500.0,
        "pipeline/pseudonymisation/changes_per_second": 500.0,
    }


def test_only_what_the_rebuild_added_grows_with_the_people_in_the_store() -> None:
    assert per_million(empty=90e6, rebuilt=140e6, worked=200e6, subjects=200_000) == 400e6
    assert per_million(empty=90e6, rebuilt=300e6, worked=400e6, subjects=1_000_000) == 400e6


def released(number: int, topic: str = "t", at: float = 0.0) -> Arrival:
    return Arrival(topic, f"name-{number}".encode(), b'{"fields":{"mef":"%011d"}}' % number, at)


def test_who_was_erased_is_known_by_the_name_of_the_release() -> None:
    found = [released(7), released(8), Arrival("t", b"name-8", None, 3.0), Arrival("t", b"name-7", None, 2.5)]
    findings = conclude(found, {7: 2.0, 8: 2.0}, least=2)
    assert findings.faults == []
    assert findings.missing == {}
    assert (findings.figures["withdrawal/seconds_p50"].median, findings.figures["withdrawal/withdrawals"].median) == (
        0.5,
        2.0,
    )


def test_a_withdrawal_that_never_came_is_a_fault_and_too_few_are_said_to_be_missing() -> None:
    findings = conclude([released(7), Arrival("t", b"name-7", None, 2.5)], {7: 2.0, 8: 2.0}, least=2)
    assert findings.faults == ["withdrawal: 1 of 2 withdrawals never came to the provider"]
    assert findings.missing == {"withdrawal": "only 1 withdrawals fell into the backlog, 2 are needed"}


def test_arrivals_are_told_apart_by_provider_and_counted_from_the_first_message() -> None:
    found = [released(10, "a", 1.0), released(11, "b", 2.0), released(11, "a", 3.0)]
    assert by_provider(found, known=10) == {"a": {0: 1.0, 1: 3.0}, "b": {1: 2.0}}


def folded(subject: Subject, message: Message) -> Subject:
    return fold(subject, read_change(message.value))[0]


def taken(subject: Subject, message: Message) -> Subject:
    return take(subject, parse_payload(ConsentDecision, message.value, 4096))[0]


def terms() -> dict[str, Terms]:
    policies = with_consent(bench_policies(), "gamma").values()
    return {term.pair: term for policy in policies for term in terms_of(policy, policy_digest(policy))}


def ends(subject: Subject, key: bytes) -> dict[str, tuple[str, str]]:
    decisions = decide_pairs(key.decode(), subject, terms(), NOW, 0, bare={})
    assert decisions is not None
    return {decided.pair: (decided.end, decided.reason) for decided in decisions.decided}


def test_a_family_that_consents_is_released_to_all_and_a_holder_s_withdrawal_erases() -> None:
    gamma = with_consent(bench_policies(), "gamma")["gamma"]
    first = joins(12, 4)
    alone = folded(NOBODY, first)
    consented = alone
    for message in decides(12, gamma, "given", GIVEN_AT, 4):
        consented = taken(consented, message)
    decisions = decide_pairs(first.key.decode(), consented, terms(), NOW, 0, bare={})
    assert decisions is not None
    opposed = taken(decisions.subject, decides(12, gamma, "withdrawn", NOW, 4)[1])

    assert {pair: end for pair, (end, _) in ends(alone, first.key).items()} == {
        "alpha/alpha-2026": "released", "beta/beta-2026": "released", "gamma/gamma-2026": "withheld",
    }  # fmt: skip
    assert {end for end, _ in ends(consented, first.key).values()} == {"released"}
    assert ends(opposed, first.key)["gamma/gamma-2026"] == ("erased", "R1/guardian-opposes")


def test_what_is_remembered_is_what_the_filter_would_remember() -> None:
    policies = bench_policies().values()
    [(partition, key, state)] = remembered([12], policies, 4)
    subject = load(state)
    image = folded(NOBODY, joins(12, 4)).images

    assert key == joins(12, 4).key
    assert partition == partition_of(key.decode(), 4) == joins(12, 4).partition
    assert subject.images == image
    assert len(subject.consents) == 2
    assert subject.pairs.keys() == {"alpha/alpha-2026", "beta/beta-2026", "gamma/gamma-2026"}
    assert folded(subject, is_renamed(12, 4)).images["aaf-banc"].attributes["given_name"] == "Maïa"


def test_a_pupil_s_course_of_study_is_her_number() -> None:
    assert number_of(released(123).value or b"") == 123
