from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.contract.changes import Change
from services.contract.policies import policy_digest
from services.filtering.case import terms_of
from services.filtering.emission import decide_pairs
from services.filtering.subject import NOBODY, fold
from tests.property.histories import changes
from tests.replay.invented import INE, policy

TERMS = {term.pair: term for term in terms_of(policy(), policy_digest(policy()))}
NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)


@given(changes(), st.lists(st.integers(-3600, 3600), min_size=6, max_size=6))
def test_seq_grows_though_the_clock_goes_back(facts: list[Change], drifts: list[int]) -> None:
    subject, seq, issued = NOBODY, 0, []
    for fact, drift in zip(facts, drifts, strict=False):
        subject, _ = fold(subject, fact)
        decisions = decide_pairs(INE, subject, TERMS, NOON + timedelta(seconds=drift), seq)
        if decisions is None:
            continue
        subject, seq = decisions.subject, decisions.seq
        issued += [each.emission.seq for each in decisions.decided if each.emission]

    assert issued == sorted(set(issued))


@given(changes())
def test_deciding_twice_sends_nothing_the_second_time(facts: list[Change]) -> None:
    subject = NOBODY
    for fact in facts:
        subject, _ = fold(subject, fact)
    first = decide_pairs(INE, subject, TERMS, NOON, 0)
    second = first and decide_pairs(INE, first.subject, TERMS, NOON, first.seq)

    assert [each for each in (second.decided if second else ()) if each.emission] == []
