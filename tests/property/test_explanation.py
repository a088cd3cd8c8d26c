from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.contract.changes import Change
from services.contract.policies import policy_digest
from services.contract.reasons import REASONS
from services.filtering.case import person_of
from services.filtering.decision import SEVERITY, TABLE_ORDER, decide
from services.filtering.docket import ENDS
from services.filtering.emission import decide_pairs
from services.filtering.explanation import Explanation, explain
from services.filtering.folding import fold, take
from services.filtering.inquiry import inquire
from services.filtering.likeness import moment_of
from services.filtering.parsing import read_policy
from services.filtering.subject import NOBODY, Subject
from services.filtering.terms import terms_of
from tests.property.decision_requests import mutated, objects, valid
from tests.property.histories import Fact, histories
from tests.replay.invented import INE, contract_with, policy
from tests.spec.table import LAW, Row, rows

NOON = datetime(2026, 9, 15, 12, tzinfo=UTC)


def explained(request: dict[str, Any]) -> Explanation:
    return explain(read_policy(request, LAW), request)


@given(st.one_of(objects, mutated(), valid))
def test_an_explanation_ends_in_the_verdict_itself(request: dict[str, Any]) -> None:
    explanation = explained(request)

    assert explanation.verdict == decide(request, LAW)


@given(st.one_of(objects, mutated(), valid))
def test_every_rule_has_its_line_and_the_worst_of_them_is_the_verdict(request: dict[str, Any]) -> None:
    explanation = explained(request)
    outcomes = [found.outcome for line in explanation.lines for found in line.found]
    worst = max(outcomes, key=SEVERITY.__getitem__, default="release")

    assert tuple(line.rule for line in explanation.lines) == TABLE_ORDER
    assert worst == explanation.verdict.verdict
    assert all(line.rule in REASONS[found.code].rules for line in explanation.lines for found in line.found)


@given(st.one_of(mutated(), valid))
def test_the_reasons_are_the_lines_that_give_the_verdict(request: dict[str, Any]) -> None:
    explanation = explained(request)
    verdict = explanation.verdict
    if verdict.verdict == "release":
        reasons = [(line.rule, line.ground) for line in explanation.lines if line.ground]
    else:
        against = [
            (line.rule, [f.code for f in line.found if f.outcome == verdict.verdict]) for line in explanation.lines
        ]
        reasons = [(rule, codes[0]) for rule, codes in against if codes]

    assert reasons == [(reason.rule, reason.code) for reason in verdict.reasons]


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_what_is_dropped_and_kept_agrees_with_the_table(row: Row) -> None:
    explanation = explained(row.request)
    dropped = {str(field.name): field.rules[0] for field in explanation.fields if field.rules}
    kept = tuple(dict.fromkeys(field.name for field in explanation.fields if not field.rules))

    assert dropped == row.dropped or row.verdict == "erase"
    assert row.verdict != "release" or kept == row.fields


POLICIES = [policy(), policy("consent-service"), policy(provider="other", contracts=contract_with(schools=[]))]
TERMS = {term.pair: term for each in POLICIES for term in terms_of(each, policy_digest(each))}
names = st.sampled_from(["Camille", "Camille 06 39 98 00 12", "123456789AB"])


@given(histories, names)
def test_what_is_explained_is_what_the_filter_decides(facts: list[Fact], name: str) -> None:
    subject, seq = NOBODY, 0
    for fact in facts:
        subject = _spoilt(fold(subject, fact) if isinstance(fact, Change) else take(subject, fact), name)
        person = person_of(INE, subject, moment_of(NOON))
        decisions = decide_pairs(INE, subject, TERMS, NOON, seq)
        if person is None or decisions is None:
            continue
        asked = {
            pair: inquire(person, term, moment_of(NOON), delivered=pair in subject.pairs)
            for pair, term in TERMS.items()
        }

        assert [each.end for each in decisions.decided] == [
            ENDS[asked[each.pair].explanation.verdict.verdict] for each in decisions.decided
        ]
        assert all(
            _reason_of(asked[each.pair]) == each.reason for each in decisions.decided if each.reason != "unchanged"
        )
        subject, seq = decisions.subject, decisions.seq


def _spoilt(folded: tuple[Subject, object], name: str) -> Subject:
    """The same with another given name in every image: some hold what they should not."""
    subject = folded[0]
    images = {s: i._replace(attributes={**i.attributes, "given_name": name}) for s, i in subject.images.items()}
    return subject.shown(images)


def _reason_of(asked: Any) -> str:
    first = asked.explanation.verdict.reasons[0]
    code = asked.scope if asked.scope and first.code == "no-contract" else first.code
    return f"{first.rule}/{code}"
