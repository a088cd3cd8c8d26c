from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from services.contract.account import Account
from services.contract.audit import AuditEntry, End
from services.contract.reasons import Rule
from tests.replay.invented import example

AT = datetime(2026, 9, 15, 8, tzinfo=UTC)
ALIKE: Mapping[str, Rule] = {"ine": "R16", "email": "R17"}
OTHERS: Mapping[str, Rule] = {"email": "R17", "town": "R23"}


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


def test_account_says_which_inputs_are_of_which_type_of_school() -> None:
    account = Account("filtering", "in", 0, 6)
    for offset in (10, 11, 13):
        account.school(offset, "primary")
    account.school(14, "higher")
    entry = account.entry((10, 15), AT, {}).model_dump(mode="json")

    assert entry["schools"] == {"primary": [[10, 11], [13, 13]], "higher": [[14, 14]]}


def test_account_counts_each_field_that_stayed_inside_by_contract_school_and_rule() -> None:
    account = Account("filtering", "in", 0, 6)
    account.drop("a/1", "primary", ALIKE)
    account.drop("a/1", "primary", ALIKE)
    account.drop("a/1", "primary", OTHERS)
    account.drop("a/1", None, OTHERS)
    account.drop("b/1", None, OTHERS)
    entry = account.entry((10, 15), AT, {}).model_dump(mode="json")

    assert entry["dropped"] == {
        "a/1": {
            "primary": {"R16": {"ine": 2}, "R17": {"email": 3}, "R23": {"town": 1}},
            "-": {"R17": {"email": 1}, "R23": {"town": 1}},
        },
        "b/1": {"-": {"R17": {"email": 1}, "R23": {"town": 1}}},
    }


def test_entry_of_before_that_says_neither_schools_nor_fields_is_read() -> None:
    before = orjson.dumps(example("audit-entry/1/filtering-batch"))
    entry = AuditEntry.model_validate_json(before)

    assert b"schools" not in before
    assert (entry.schools, entry.dropped, entry.applied_until, entry.caught_up) == ({}, {}, None, {})


def test_account_of_heartbeats_alone_says_what_they_vouch_for_and_which_topics_are_read_to_their_end() -> None:
    account = Account("connectors", "in", 0, 1)
    account.count(-1)
    account.vouch(AT, {"operations": 12})
    entry = account.entry((7, 7), AT, {}).model_dump(mode="json", exclude_unset=True)

    assert not account.is_empty
    assert (entry["records"], entry["ends"]) == (0, {})
    assert (entry["applied_until"], entry["caught_up"]) == ("2026-09-15T08:00:00Z", {"operations": 12})


def test_account_of_a_batch_without_a_heartbeat_says_nothing_of_it() -> None:
    said = Account("connectors", "in", 0, 1).entry((7, 7), AT, {}).model_dump(mode="json", exclude_unset=True)

    assert said.keys() & {"applied_until", "caught_up"} == set()


@pytest.mark.parametrize(
    "differences",
    [
        pytest.param({"schools": {"Collège Zorvel": [[1200, 1201]]}}, id="the name of a school"),
        pytest.param({"dropped": {"gar/G": {"-": {"R17": {"Zorvel Quimur": 1}}}}}, id="a value for a field"),
        pytest.param({"dropped": {"gar/G": {"-": {"because": {"email": 1}}}}}, id="a rule that is none"),
        pytest.param({"dropped": {"gar/G": {"-": {"R17": {"email": 0}}}}}, id="no time at all"),
    ],
)
def test_entry_takes_no_school_and_no_field_that_is_not_of_the_closed_form(differences: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        AuditEntry.model_validate_json(orjson.dumps(example("audit-entry/1/filtering-batch", **differences)))
