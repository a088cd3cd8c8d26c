import pytest

from services.contract.reasons import REASONS
from services.filtering.decision import decide
from tests.spec.table import LAW, Row, rows

ROWS = rows()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row_of_the_decision_table(row: Row) -> None:
    verdict = decide(row.request, LAW)

    assert verdict.verdict == row.verdict
    assert tuple((reason.rule, reason.code) for reason in verdict.reasons) == row.reasons
    assert verdict.fields == row.fields
    assert list(verdict.dropped.items()) == list(row.dropped.items())
    assert verdict.restrict is row.restrict


def test_case_names_are_unique() -> None:
    names = [row.id for row in ROWS]

    assert len(set(names)) == len(names)


def test_every_reason_is_shown_by_a_row() -> None:
    shown = {code for row in ROWS for _, code in row.reasons}

    assert set(REASONS) - shown == {"evaluation-error"}


def test_every_reason_is_given_only_by_the_rules_that_its_meaning_names() -> None:
    given = {(rule, code) for row in ROWS for rule, code in row.reasons}
    named = {(rule, code) for code, meaning in REASONS.items() for rule in meaning.rules}

    assert given <= named
