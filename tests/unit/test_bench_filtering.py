"""The input of the benchmark's filtering section, and in what its outputs must agree; what runs is in integration."""

from datetime import UTC, date, datetime

import orjson
import pytest

from ops.benchmarks.bench_policies import FIELDS, consent_policy
from ops.benchmarks.comparing import ClocklessNames, Headers
from ops.benchmarks.families import BANDS, FAMILIES, band_of, changes, consents, family_of
from ops.benchmarks.schools import Emission
from services.contract.changes import MAX_CHANGE_BYTES, parse_change
from services.contract.consents import ConsentDecision
from services.contract.parsing import parse_payload
from services.contract.policies import policy_digest, refusal, releasable
from services.contract.releases import Release
from services.contract.told_changes import read_change
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold, take
from services.filtering.sending import Emission as Sent
from services.filtering.subject import NOBODY, Subject
from services.filtering.terms import terms_of

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
POLICY = consent_policy()
EVERY_CASE = len(FAMILIES) * len(BANDS)


def said(pupils: int) -> list[Emission]:
    return list(consents(POLICY, pupils, 4, TODAY))


def changed(pupils: int) -> list[Emission]:
    return list(changes(pupils, 4, TODAY))


def filtered(pupils: int) -> list[Sent | None]:
    """What our own steps make of each change, once every consent is known."""
    known: dict[bytes, Subject] = {}
    for word in said(pupils):
        decision = parse_payload(ConsentDecision, word.value, MAX_CHANGE_BYTES)
        known[word.key], folded = take(known.get(word.key, NOBODY), decision)
        assert folded == "changed"
    terms = {term.pair: term for term in terms_of(POLICY, policy_digest(POLICY))}
    sent: list[Sent | None] = []
    seq = 0
    for change in changed(pupils):
        subject, folded = fold(known.get(change.key, NOBODY), read_change(change.value))
        decisions = decide_pairs(change.key.decode(), subject, terms, NOW, seq) if folded == "changed" else None
        sent.append(decisions.decided[0].emission if decisions else None)
        if decisions:
            known[change.key], seq = decisions.subject, decisions.seq
    return sent


def test_what_is_expected_is_what_the_rules_release() -> None:
    pupils = 6 * EVERY_CASE
    assert [sent is not None for sent in filtered(pupils)] == [change.fresh for change in changed(pupils)]


def test_nothing_has_to_be_taken_back() -> None:
    assert {sent.payload for sent in filtered(EVERY_CASE) if sent} == {"release"}


def test_a_release_shows_what_contract_and_perimeter_name() -> None:
    sent = filtered(1)[0]
    assert sent is not None
    release = parse_payload(Release, sent.value, 10_000)
    assert release.fields.keys() == set(FIELDS)
    assert release.subject == release.named_by.value == "000000000AA"


def test_the_contract_may_be_released_under_and_names_one_field_too_many() -> None:
    contract = POLICY.contracts[0]
    assert refusal(POLICY, contract.id, TODAY) is None
    assert releasable(POLICY, contract) == frozenset(FIELDS)
    assert set(contract.fields) - set(FIELDS) == {"birth_date"}


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 12, 31), date(2028, 2, 29)])
def test_the_bands_of_age_are_the_same_on_every_day(today: date) -> None:
    for change in changes(EVERY_CASE, 4, today):
        read = parse_change(change.value)
        if read.kind == "upsert":
            born = read.attributes.birth_date
            assert born is not None
            age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
            band = "child" if age < 15 else "minor" if age < 18 else "adult"
            assert band == band_of(int(read.id.removeprefix("e")))


def test_the_input_is_the_same_at_every_run() -> None:
    assert changed(50) == changed(50)
    assert said(50) == said(50)


def test_most_give_some_refuse_some_withdraw_and_a_few_say_nothing() -> None:
    statuses = [orjson.loads(word.value)["status"] for word in said(20)]
    assert {status: statuses.count(status) for status in statuses} == {"given": 35, "refused": 2, "withdrawn": 2}
    assert not family_of(17).said


def test_the_words_of_a_person_lie_where_her_changes_lie() -> None:
    places = {change.key: change.partition for change in changed(100)}
    assert all(places[word.key] == word.partition for word in said(100))


def headers(seq: int) -> Headers:
    return [("ce_specversion", b"1.0"), ("ce_id", f"3.delta-2026.{seq}".encode())]


def value(seq: int, rest: str = "x") -> bytes:
    return f'{{"subject":"s","seq":{seq},"fields":{{"given_name":"{rest}"}}}}'.encode()


def test_two_runs_agree_though_their_clocks_do_not() -> None:
    ours, theirs = ClocklessNames(), ClocklessNames()
    one = [ours("delta", b"s", headers(seq), value(seq)) for seq in (100, 250)]
    other = [theirs("delta", b"s", headers(seq), value(seq)) for seq in (7000, 7001)]
    assert one == other
    assert one[0] != one[1]


def test_what_was_sent_twice_has_one_name() -> None:
    names = ClocklessNames()
    assert names("delta", b"s", headers(5), value(5)) == names("delta", b"s", headers(5), value(5))


def test_an_event_id_that_does_not_end_in_the_seq_is_another() -> None:
    first = ClocklessNames()("delta", b"s", headers(5), value(5))
    assert ClocklessNames()("delta", b"s", headers(6), value(5)) != first


def test_a_seq_that_does_not_grow_is_like_none_of_ours() -> None:
    ours, theirs = ClocklessNames(), ClocklessNames()
    expected = {ours("delta", b"s", headers(seq), value(seq)) for seq in (1, 2)}
    assert theirs("delta", b"s", headers(9), value(9)) in expected
    assert theirs("delta", b"s", headers(8), value(8)) not in expected


def test_the_order_of_two_releases_of_one_person_counts() -> None:
    ours, theirs = ClocklessNames(), ClocklessNames()
    expected = {ours("delta", b"s", headers(seq), value(seq, rest)) for seq, rest in ((1, "old"), (2, "new"))}
    assert theirs("delta", b"s", headers(3), value(3, "new")) not in expected


def test_everything_but_the_clock_is_compared() -> None:
    first = ClocklessNames()("delta", b"s", headers(5), value(5))
    assert ClocklessNames()("delta", b"s", headers(5), value(5, "y")) != first
    assert ClocklessNames()("delta", b"t", headers(5), value(5)) != first
    assert ClocklessNames()("delta", b"s", None, value(5)) != first
