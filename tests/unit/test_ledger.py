from datetime import UTC, datetime

import pytest
from pydantic import TypeAdapter

from services.connectors.ledger import Standing, dump, judge, key_of, load, told, value_of
from services.connectors.reading import read_operation
from services.connectors.words import Word
from services.contract.outcomes import OUTCOME_OF, Outcome, OutcomeCode
from tests.unit import connector_runs as runs

OUTCOMES: TypeAdapter[Outcome] = TypeAdapter(Outcome)
TOLD, MARKED = Standing(5, attempted=True), Standing(5, attempted=False)


def word(message: runs.Message) -> Word:
    key, raw = message
    return read_operation(raw or b"", key, "gar")


def upsert(seq: int) -> Word:
    return word(runs.upsert(seq))


def delete(seq: int) -> Word:
    return word(runs.delete(seq))


def restrict(seq: int) -> Word:
    return word(runs.restrict(seq))


@pytest.mark.parametrize(
    ("said", "standing", "code"),
    [
        pytest.param(upsert(1), None, None, id="the first word"),
        pytest.param(upsert(6), TOLD, None, id="a newer word"),
        pytest.param(upsert(5), TOLD, "duplicate", id="the same word"),
        pytest.param(upsert(4), TOLD, "superseded", id="an older word"),
        pytest.param(delete(6), TOLD, None, id="an erasure of what was told"),
        pytest.param(delete(5), TOLD, "duplicate", id="the same erasure"),
        pytest.param(delete(4), TOLD, "superseded", id="an older erasure"),
        pytest.param(delete(6), MARKED, "never-attempted", id="an erasure of what was never sent"),
        pytest.param(delete(1), None, "never-attempted", id="an erasure of nobody"),
        pytest.param(upsert(4), MARKED, "superseded", id="an older word after an erasure"),
        pytest.param(upsert(6), MARKED, None, id="a newer word after an erasure"),
        pytest.param(restrict(6), TOLD, None, id="a restriction of what was told"),
        pytest.param(restrict(6), MARKED, "never-attempted", id="a restriction of what was erased"),
        pytest.param(restrict(1), None, "never-attempted", id="a restriction of nobody"),
    ],
)
def test_judge(said: Word, standing: Standing | None, code: str | None) -> None:
    assert judge(said, standing) == code


@pytest.mark.parametrize(
    ("said", "code", "after"),
    [
        pytest.param(upsert(6), "delivered", Standing(6, attempted=True), id="told"),
        pytest.param(upsert(6), "unexpected", Standing(6, attempted=True), id="refused: it may have it all the same"),
        pytest.param(delete(6), "delivered", Standing(6, attempted=False), id="erased leaves a marker"),
        pytest.param(delete(6), "unexpected", Standing(6, attempted=True), id="an erasure that was not acknowledged"),
        pytest.param(restrict(6), "delivered", Standing(6, attempted=True), id="restricted: it has it still"),
    ],
)
def test_standing_after(said: Word, code: OutcomeCode, after: Standing) -> None:
    assert told(said, code) == after


@pytest.mark.parametrize("standing", [TOLD, MARKED, Standing(5, attempted=False, until="~")])
def test_state_entry_gives_the_standing_back(standing: Standing) -> None:
    assert load(dump(standing)) == standing


def test_pair_that_was_never_heard_of_has_no_standing() -> None:
    assert load(None) is None


@pytest.mark.parametrize(
    ("said", "operation"), [(upsert(6), "upsert"), (delete(6), "delete"), (restrict(6), "restrict")]
)
@pytest.mark.parametrize("code", OUTCOME_OF)
@pytest.mark.parametrize("at", [datetime(2026, 9, 15, 8, tzinfo=UTC), datetime(2026, 9, 15, 8, 0, 1, 250, tzinfo=UTC)])
def test_entry_in_the_ledger_is_the_outcome_to_the_byte(
    said: Word, operation: str, code: OutcomeCode, at: datetime
) -> None:
    outcome = OUTCOMES.validate_python(
        {"provider": "gar", "contract": "GAR-2026", "pseudonym": "a" * 32, "seq": 6, "operation": operation,
         "at": at, "outcome": OUTCOME_OF[code], "code": code}
    )  # fmt: skip

    assert value_of(said, code, at) == outcome.model_dump_json().encode()


def test_key_of_the_ledger() -> None:
    assert key_of(upsert(6)) == b"gar/GAR-2026/" + b"a" * 32
