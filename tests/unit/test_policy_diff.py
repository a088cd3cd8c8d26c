"""What a set would change for everybody, counted over a changelog in memory."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from ops.policy_diff import Comparison, Count
from services.contract.policies import ProviderPolicy, policy_digest
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold, take
from services.filtering.subject import NOBODY, SUBJECT, Subject, dump
from services.filtering.terms import terms_of
from tests.replay.invented import consent, contract_with, example, joins, policy

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
US = example("provider-policy/1/us-support")["places"]
SERVICE = "consent-service"


def pupil(number: int, **attributes: Any) -> tuple[str, Subject]:
    ine = f"99900000{number}ZZ"
    return ine, fold(NOBODY, joins(id=f"p-{number}", attributes={"ine": ine, **attributes}))[0]


def consenting(number: int) -> tuple[str, Subject]:
    ine, subject = pupil(number)
    for party in ("child", "guardian:aaf-d99:999-2001"):
        subject = take(subject, consent(party, "given", "2026-09-04T17:12:08+02:00", subject=ine))[0]
    return ine, subject


def delivered(known: tuple[str, Subject], *policies: ProviderPolicy) -> tuple[str, Subject]:
    key, subject = known
    terms = {term.pair: term for each in policies for term in terms_of(each, policy_digest(each))}
    decisions = decide_pairs(key, subject, terms, NOW, 0)
    assert decisions is not None
    return key, decisions.subject


def compared(people: Iterable[tuple[str, Subject]], *policies: ProviderPolicy) -> Comparison:
    comparison = Comparison({each.provider: each for each in policies}, NOW)
    for key, subject in people:
        comparison.take(SUBJECT + key.encode(), dump(subject))
    comparison.end_partition()
    return comparison


def shown(count: Count) -> dict[str, Any]:
    return {
        "gain": dict(count.gain), "lose": dict(count.lose), "keep": dict(count.keep),
        "changed": count.changed, "waits": count.waits,
    }  # fmt: skip


def test_the_set_in_force_gains_and_loses_nobody() -> None:
    counts = compared([delivered(pupil(number), policy()) for number in range(3)], policy()).counts

    assert shown(counts["gar"]) == {
        "gain": {}, "lose": {}, "keep": {"R3/public-task": 3}, "changed": 0, "waits": 0,
    }  # fmt: skip


def test_whom_a_new_provider_would_receive_is_gained_by_the_rule_that_releases() -> None:
    people = [delivered(known, policy()) for known in (pupil(1), consenting(2), consenting(3))]
    counts = compared(people, policy(), policy(SERVICE)).counts

    assert shown(counts["lecture"]) == {
        "gain": {"R10/joint-consent": 2}, "lose": {}, "keep": {}, "changed": 0, "waits": 0,
    }  # fmt: skip
    assert counts["gar"].keep.total() == 3


def test_a_change_of_law_loses_everybody_and_waits() -> None:
    people = [delivered(pupil(number), policy()) for number in range(4)]
    counts = compared(people, policy(places=US, version=5)).counts

    assert shown(counts["gar"]) == {
        "gain": {}, "lose": {"R19/dpf-not-allowed": 4}, "keep": {}, "changed": 0, "waits": 4,
    }  # fmt: skip
    assert counts["gar"].share_lost == 1.0


def test_whom_a_contract_no_longer_covers_is_lost_without_waiting() -> None:
    schools = ["0999001W", "0999002X", "0999002X", "0999002X"]
    people = [delivered(pupil(n, school=school), policy()) for n, school in enumerate(schools)]
    counts = compared(people, policy(contracts=contract_with(schools=["0999002X"]))).counts

    assert shown(counts["gar"]) == {
        "gain": {}, "lose": {"R1/school-not-subscribed": 1}, "keep": {"R3/public-task": 3}, "changed": 0, "waits": 0,
    }  # fmt: skip
    assert counts["gar"].share_lost == 0.25


def test_other_fields_are_a_change_of_who_is_kept() -> None:
    people = [delivered(pupil(1), policy())]
    counts = compared(people, policy(contracts=contract_with(fields=["level", "school"]))).counts

    assert (shown(counts["gar"])["keep"], counts["gar"].changed) == ({"R3/public-task": 1}, 1)


def test_whom_nothing_can_be_decided_of_is_kept_and_says_why() -> None:
    counts = compared([delivered(pupil(1), policy())], policy(places=[])).counts

    assert shown(counts["gar"]) == {
        "gain": {}, "lose": {}, "keep": {"R0/no-place": 1}, "changed": 0, "waits": 0,
    }  # fmt: skip


def test_a_contract_that_takes_over_from_another_keeps_the_person() -> None:
    other = policy(version=5, contracts=contract_with(id="GAR-2027", purpose="other"))
    counts = compared([delivered(pupil(1), policy())], other).counts

    assert (shown(counts["gar"])["keep"], counts["gar"].changed) == ({"R3/public-task": 1}, 1)


def test_a_later_entry_of_a_person_replaces_the_earlier_one() -> None:
    """A changelog that is not compacted yet says several things of one key."""
    key, before = pupil(1, school=None)
    _, after = delivered(pupil(1), policy())
    comparison = Comparison({"gar": policy()}, NOW)
    entries = ((b"s/", before), (b"s/", after), (b"s/", after))
    for prefix, subject in entries:
        comparison.take(prefix + key.encode(), dump(subject))
    once = shown(comparison.counts["gar"])
    comparison.take(b"s/" + key.encode(), None)

    assert once == {"gain": {}, "lose": {}, "keep": {"R3/public-task": 1}, "changed": 0, "waits": 0}
    assert shown(comparison.counts["gar"])["keep"] == {"R3/public-task": 0}
    assert comparison.subjects == 0


def test_the_same_key_in_two_partitions_is_two_persons() -> None:
    key, subject = delivered(pupil(1), policy())
    comparison = Comparison({"gar": policy()}, NOW)
    for _ in range(2):
        comparison.take(SUBJECT + key.encode(), dump(subject))
        comparison.end_partition()

    assert (comparison.subjects, comparison.counts["gar"].keep.total()) == (2, 2)


def test_what_is_no_person_is_passed_over() -> None:
    comparison = Comparison({"gar": policy()}, NOW)
    for key in (b"~seq", b"~offset/directory.changes.v1", b"h/999000001AB"):
        comparison.take(key, b"1")

    assert comparison.subjects == 0


def test_nobody_is_named_in_what_is_kept() -> None:
    comparison = compared([delivered(pupil(1), policy())], policy())

    assert "999000001ZZ" not in repr(comparison.counts) + repr(vars(comparison)["_known"])
