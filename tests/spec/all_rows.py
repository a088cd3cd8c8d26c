"""All rows in one test, for `make mutants`, which runs it some thousand times; `make test` runs a test a row."""

from services.filtering.decision import decide
from tests.spec.table import LAW, rows

ROWS = rows()


def test_all_rows_of_the_decision_table() -> None:
    for row in ROWS:
        verdict = decide(row.request, LAW)

        assert (verdict.verdict, verdict.fields, verdict.restrict) == (row.verdict, row.fields, row.restrict), row.id
        assert tuple((reason.rule, reason.code) for reason in verdict.reasons) == row.reasons, row.id
        assert list(verdict.dropped.items()) == list(row.dropped.items()), row.id
