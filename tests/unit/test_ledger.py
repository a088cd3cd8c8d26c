import pytest

from services.connectors.ledger import Standing, dump, judge, load, moved
from services.contract.operations import Delete, Operation, Upsert

NAMES = {"provider": "gar", "contract": "GAR-2026", "pseudonym": "a" * 32, "policy": "sha256:" + "0" * 64,
         "policy_version": 4, "event_id": "b" * 32}  # fmt: skip


def upsert(seq: int) -> Upsert:
    return Upsert.model_validate({**NAMES, "seq": seq, "kind": "pupil", "fields": {}})


def delete(seq: int) -> Delete:
    return Delete.model_validate({**NAMES, "seq": seq})


TOLD, MARKED = Standing(5, attempted=True), Standing(5, attempted=False)


@pytest.mark.parametrize(
    ("operation", "standing", "code"),
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
    ],
)
def test_judge(operation: Operation, standing: Standing | None, code: str | None) -> None:
    assert judge(operation, standing) == code


@pytest.mark.parametrize(
    ("operation", "standing", "attempted", "after"),
    [
        pytest.param(upsert(1), None, True, Standing(1, attempted=True), id="told"),
        pytest.param(upsert(1), None, False, Standing(1, attempted=False), id="deferred"),
        pytest.param(upsert(6), TOLD, False, Standing(6, attempted=True), id="deferred after one that was told"),
        pytest.param(delete(6), TOLD, True, Standing(6, attempted=False), id="erased leaves a marker"),
        pytest.param(delete(6), None, False, Standing(6, attempted=False), id="an erasure of nobody marks too"),
    ],
)
def test_standing_after(operation: Operation, standing: Standing | None, attempted: bool, after: Standing) -> None:  # noqa: FBT001  # a row
    assert moved(operation, standing, attempted=attempted) == after


def test_state_entry_gives_the_standing_back() -> None:
    assert load(dump(TOLD)) == TOLD
    assert load(None) is None
