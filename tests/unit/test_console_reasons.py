import orjson
import pytest

from services.console.accounts import Dropped, Ended, Entry, read_entry
from services.console.counts import Cell, Counts, cells_of, ends_by_provider, paces_of
from services.console.crossing import WIDEST, Schools
from services.console.pages import reason_table
from services.console.reasons_view import Chosen, ReasonRow, Reasons
from services.contract.audit import OffsetRange, SchoolType
from services.contract.topology import CHANGES
from tests.replay.invented import example

HOUR = 500_000
NOW = HOUR * 3600.0 + 120
COLLEGE: SchoolType = "lower-secondary"
LYCEE: SchoolType = "upper-secondary"


def entry(*ends: Ended, dropped: Dropped | None = None, hours_ago: int = 0) -> Entry:
    return Entry("filtering", CHANGES, 0, 10, 9, NOW - 3600 * hours_ago, ends, dropped or {})


def counted(*entries: Entry) -> Counts:
    return Counts().plus(cells_of(entries, ()), paces_of(entries), NOW)


MISSING = "R10/child-consent-missing"
COUNTS = counted(
    entry(
        Ended("lecture/L", "withheld", MISSING, 7, ((COLLEGE, 4), (LYCEE, 1))),
        Ended("gar/G", "withheld", "school-not-subscribed", 2, ((LYCEE, 2),)),
        Ended("gar/G", "held", "no-image", 1),
        dropped={
            "gar/G": {COLLEGE: {"R17": {"birth_date": 4, "email": 3}}, LYCEE: {"R16": {"ine": 2}}},
            "lecture/L": {"-": {"R17": {"email": 1}}},
        },
    ),
    entry(Ended("lecture/L", "withheld", MISSING, 3, ((COLLEGE, 3),)), hours_ago=2),
)  # fmt: skip


def rows(chosen: Chosen) -> list[tuple[str, str, str, int]]:
    return [(row.end, row.rule, row.code, row.number) for row in Reasons().rows(COUNTS, NOW, chosen)]


def row_of(code: str, chosen: Chosen = Chosen()) -> ReasonRow:  # noqa: B008  # it is frozen
    return next(row for row in Reasons().rows(COUNTS, NOW, chosen) if row.code == code)


def test_most_frequent_comes_first_and_fields_come_last() -> None:
    assert rows(Chosen()) == [
        ("withheld", "R10", "child-consent-missing", 10), ("withheld", "", "school-not-subscribed", 2),
        ("held", "", "no-image", 1), ("dropped", "R17", "R17", 8), ("dropped", "R16", "R16", 2),
    ]  # fmt: skip


def test_reason_says_whom_it_concerns_at_which_type_of_school_and_when() -> None:
    row = row_of("child-consent-missing")

    assert row.providers == (("lecture", 10),)
    assert row.schools == ((COLLEGE, 7), (LYCEE, 1), ("-", 2))
    assert row.hours[-3:] == (3, 0, 7)
    assert sum(row.hours) == 10


def test_rule_says_which_fields_it_kept_inside_and_for_whom() -> None:
    row = row_of("R17")

    assert row.fields == (("birth_date", 4), ("email", 4))
    assert row.providers == (("gar", 7), ("lecture", 1))
    assert row.schools == ((COLLEGE, 7), ("-", 1))


def test_type_of_school_that_nobody_said_is_not_told() -> None:
    assert row_of("no-image").schools == ()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        pytest.param(Chosen(provider="gar", end="held"), [("held", "", "no-image", 1)], id="provider and end"),
        pytest.param(Chosen(school=LYCEE),
                     [("withheld", "", "school-not-subscribed", 2), ("withheld", "R10", "child-consent-missing", 1),
                      ("dropped", "R16", "R16", 2)], id="a type of school"),
        pytest.param(Chosen(school="-", end="withheld"), [("withheld", "R10", "child-consent-missing", 2)],
                     id="none that is said"),
        pytest.param(Chosen(provider="lecture", end="dropped"), [("dropped", "R17", "R17", 1)], id="fields of one"),
    ],
)  # fmt: skip
def test_choice_narrows_by_provider_end_and_type_of_school(
    chosen: Chosen, expected: list[tuple[str, str, str, int]]
) -> None:
    assert rows(chosen) == expected


def test_hour_that_goes_on_is_added_up_again() -> None:
    reasons = Reasons()
    reasons.rows(COUNTS, NOW, Chosen())
    more = entry(Ended("gar/G", "held", "no-image", 5))
    later = COUNTS.plus(cells_of([more], ()), paces_of([more]), NOW)

    assert [row.number for row in reasons.rows(later, NOW, Chosen(end="held"))] == [6]


def test_fields_that_stayed_inside_are_no_end_of_an_input() -> None:
    assert ends_by_provider(COUNTS.hours[HOUR]) == {"lecture": {"withheld": 7}, "gar": {"withheld": 2, "held": 1}}


def test_account_with_schools_is_counted_by_them_and_what_is_left_apart() -> None:
    read = read_entry(orjson.dumps(example("audit-entry/1/filtering-batch-of-two-schools")))

    # GAR: 1200 to 1203 released, of which two at a collège and one at a lycée; 1204 held.
    assert Ended("gar/GAR-2026", "released", "R3/public-task", 4, ((COLLEGE, 2), (LYCEE, 1))) in read.ends
    assert read.dropped["gar/GAR-2026"]["-"] == {"R17": {"email": 1}}
    cells = cells_of([read], ())
    hour = int(read.at) // 3600
    assert cells[Cell(hour, "filtering", "gar/GAR-2026", "released", "R3/public-task", COLLEGE)] == 2
    assert cells[Cell(hour, "filtering", "gar/GAR-2026", "released", "R3/public-task")] == 1
    assert cells[Cell(hour, "filtering", "gar/GAR-2026", "dropped", "R22/home_phone", LYCEE)] == 1


def test_account_of_before_has_no_schools_and_no_fields() -> None:
    read = read_entry(orjson.dumps(example("audit-entry/1/filtering-batch")))

    assert {one.schools for one in read.ends} == {()}
    assert read.dropped == {}


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        pytest.param([(10, 19)], ((COLLEGE, 5), (LYCEE, 2)), id="all of it"),
        pytest.param([(12, 12), (16, 18)], ((COLLEGE, 1), (LYCEE, 2)), id="some"),
        pytest.param([(15, 16)], (), id="between"),
        pytest.param([(0, 9), (20, 99)], (), id="outside"),
        pytest.param([(0, 99)], ((COLLEGE, 5), (LYCEE, 2)), id="beyond it at both ends"),
    ],
)
def test_inputs_are_counted_at_the_type_of_school_they_are_of(
    ranges: list[OffsetRange], expected: tuple[tuple[SchoolType, int], ...]
) -> None:
    schools = Schools({COLLEGE: [(10, 14)], LYCEE: [(17, 18)]}, 10, 19)

    assert schools.among(ranges) == expected


@pytest.mark.parametrize(
    ("first", "last"), [pytest.param(0, WIDEST, id="too wide"), pytest.param(9, 2, id="backwards")]
)
def test_batch_that_cannot_be_told_apart_tells_no_school(first: int, last: int) -> None:
    assert Schools({COLLEGE: [(0, 5)]}, first, last).among([(0, 5)]) == ()


def test_table_names_fields_rule_and_action_in_both_languages() -> None:
    table = Reasons().rows(COUNTS, NOW, Chosen())
    english, french = reason_table("en", table), reason_table("fr", table)

    assert "A field that the contract or the perimeter does not name." in english
    assert "say so in the contract, with its purpose" in english
    assert "birth_date" in english
    assert "Field dropped" in english
    assert "Champ que le contrat ou le périmètre ne nomme pas." in french
    assert "collège <small>7</small>" in french
