from datetime import UTC, datetime
from typing import Any

import pytest

from services.contract.audit import Account, End

AT = datetime(2026, 9, 15, 8, tzinfo=UTC)


def ends(*told: tuple[int, str, End, str]) -> Any:
    account = Account("filtering", "in", 0, len(told))
    for end in told:
        account.end(*end)
    return account.entry((0, 99), AT, {"gar": 4}).model_dump(mode="json")["ends"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param([], {}, id="nothing in the batch"),
        pytest.param([(n, "-", "held", "no-image") for n in (3, 4, 5)], {"-": {"held": {"no-image": [[3, 5]]}}},
                     id="neighbours are one range"),
        pytest.param([(n, "-", "held", "no-image") for n in (3, 5, 6)],
                     {"-": {"held": {"no-image": [[3, 3], [5, 6]]}}}, id="a gap begins another"),
        pytest.param([(1, "a/1", "released", "x"), (2, "a/1", "released", "y"), (3, "a/1", "released", "x")],
                     {"a/1": {"released": {"x": [[1, 1], [3, 3]], "y": [[2, 2]]}}}, id="each reason has its own"),
        pytest.param([(1, "a/1", "released", "x"), (1, "b/1", "held", "x")],
                     {"a/1": {"released": {"x": [[1, 1]]}}, "b/1": {"held": {"x": [[1, 1]]}}},
                     id="each contract has its own"),
    ],
)  # fmt: skip
def test_ranges(told: list[tuple[int, str, End, str]], expected: Any) -> None:
    assert ends(*told) == expected


def test_account_counts_inputs_and_is_empty_where_there_was_none() -> None:
    account = Account("connectors", "in", 0, 3)
    account.count(-1)
    some = account.records
    account.count(-2)

    assert some == 2
    assert account.is_empty
    account.end(0, "-", "held", "backlog")
    assert not account.is_empty


def test_entry_says_what_was_applied_to_what() -> None:
    entry = Account("connectors", "in", 7, 2).entry((10, 12), AT, {"gar": 4})

    assert (entry.stage, entry.topic, entry.partition) == ("connectors", "in", 7)
    assert (entry.first, entry.last, entry.records, entry.policies) == (10, 12, 2, {"gar": 4})
