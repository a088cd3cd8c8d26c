from datetime import date
from typing import Any

import pytest

from services.contract.census import Cells, Level
from services.filtering.age_gate import gate
from services.filtering.gazetteer import Commune, Entry, Gazetteer
from services.filtering.generalisation import Cell, Hidden, View

GAZETTEER = Gazetteer(
    [
        Entry("Rennes", ("35000",), Commune("35238", "35238", "35", "53", 230_000)),
        Entry("Le Verger", ("35160",), Commune("35351", "35351", "35", "53", 1_500)),
        Entry("Lyon", ("69001", "69002"), Commune("69123", "69123", "69", "84", 0)),
        Entry("Lyon 1er", ("69001",), Commune("69381", "69123", "69", "84", 30_000)),
        Entry("Lyon 2e", ("69002",), Commune("69382", "69123", "69", "84", 30_000)),
    ]
)
CELLS = Cells(communes=("35238", "69123", "69381"), departements=("35",), regions=("53", "84"))
ALL: tuple[Level, ...] = ("commune", "departement", "region")
DAY = date(2026, 9, 15)
RENNES = {"postcode": "35000", "town": "RENNES"}


def view(levels: tuple[Level, ...] = ALL, cells: Cells | None = CELLS) -> View:
    return View(levels, cells, GAZETTEER)


@pytest.mark.parametrize(
    ("levels", "address", "seen"),
    [
        pytest.param(ALL, ("35000", "RENNES"), Cell("commune", "35238"), id="a city"),
        pytest.param(ALL, ("35160", "LE VERGER"), Cell("departement", "35"), id="a village"),
        pytest.param(ALL, ("69001", "LYON"), Cell("commune", "69381"), id="an arrondissement that is large enough"),
        pytest.param(ALL, ("69002", "LYON"), Cell("commune", "69123"), id="one that is not counts as its commune"),
        pytest.param(("region",), ("35000", "RENNES"), Cell("region", "53"), id="a contract for régions alone"),
        pytest.param(("departement", "region"), ("69001", "LYON"), Cell("region", "84"), id="no such département"),
        pytest.param(("commune",), ("35160", "LE VERGER"), "cell-too-small", id="a contract for communes alone"),
        pytest.param(ALL, ("35999", "NULLE PART"), "address-unknown", id="nowhere"),
        pytest.param(ALL, (None, None), "no-address", id="nothing said"),
    ],
)  # fmt: skip
def test_address_is_seen_at_the_first_level_that_the_census_holds(
    levels: tuple[Level, ...], address: tuple[str | None, str | None], seen: Cell | Hidden
) -> None:
    assert view(levels).cell("pupil", {"postcode": address[0], "town": address[1]}) == seen


def test_before_a_census_nothing_is_seen() -> None:
    assert view(cells=None).cell("pupil", RENNES) == "no-census"
    assert view(cells=None).shown("pupil", "aaf-d99", RENNES, DAY) == RENNES


@pytest.mark.parametrize("kind", ["guardian", "teacher", "staff"])
def test_census_counts_pupils_and_so_nobody_else_is_placed(kind: str) -> None:
    assert view().shown(kind, "aaf-d99", RENNES, DAY) == RENNES


def test_place_comes_beside_the_fields_of_the_directory() -> None:
    assert view().shown("pupil", "aaf-d99", RENNES, DAY) == {**RENNES, "commune": "35238"}


@pytest.mark.parametrize(
    ("field", "entry", "labelled"),
    [
        ("divisions", {"school": "0999001W", "code": "5B"}, True),
        ("groups", {"school": "0999001W", "code": "5B"}, True),
        ("teaches_divisions", {"school": "0999001W", "division": "5B", "subject": "061300"}, True),
        ("teaches_groups", {"school": "0999001W", "group": "5B", "subject": "061300"}, True),
        ("divisions", {"school": "0999001W", "code": "5C"}, False),
        ("divisions", {"school": "0350001A", "code": "5B"}, False),
    ],
)
def test_group_that_the_census_holds_has_its_code_for_a_label(
    field: str, entry: dict[str, Any], *, labelled: bool
) -> None:
    known = View((), None, None, {"099": frozenset({"aaf-d99/0999001W$5B"})})
    expected = {**entry, "label": "5B"} if labelled else entry

    assert known.shown("pupil", "aaf-d99", {field: [entry]}, DAY) == {field: [expected]}
    assert known.shown("pupil", "another", {field: [entry]}, DAY) == {field: [entry]}


@pytest.mark.parametrize(
    ("birth_date", "today", "answer"),
    [
        pytest.param("2011-09-01", "2026-09-01", {"reached": True, "until": None}, id="born on the first"),
        pytest.param("2011-09-02", "2026-09-02", {"reached": False, "until": "2026-09-30"}, id="on a birthday"),
        pytest.param("2011-09-02", "2026-09-30", {"reached": False, "until": "2026-09-30"}, id="nor its month"),
        pytest.param("2011-09-02", "2026-10-01", {"reached": True, "until": None}, id="the month after"),
        pytest.param("2011-09-30", "2026-10-01", {"reached": True, "until": None}, id="for all of one month at once"),
        pytest.param("2012-02-29", "2027-02-10", {"reached": False, "until": "2027-02-28"}, id="29 February"),
        pytest.param("2012-02-29", "2027-03-01", {"reached": True, "until": None}, id="turns on 1 March"),
        pytest.param("2020-01-01", "2026-12-31", {"reached": False, "until": "2026-12-31"}, id="December"),
        pytest.param(None, "2026-09-15", None, id="not known"),
        pytest.param("", "2026-09-15", None, id="empty"),
    ],
)  # fmt: skip
def test_gate_of_fifteen(birth_date: str | None, today: str, answer: dict[str, Any] | None) -> None:
    assert gate(birth_date, 15, date.fromisoformat(today)) == answer


def test_gate_is_a_field_of_the_contract_that_names_it() -> None:
    born = {"birth_date": "2011-09-02"}
    named = View((), None, None, gates=("age_15", "age_18"))

    assert named.shown("teacher", "aaf-d99", born, DAY) == {
        **born,
        "age_15": {"reached": False, "until": "2026-09-30"},
        "age_18": {"reached": False, "until": "2026-09-30"},
    }
    assert View((), None, None, gates=("age_15",)).shown("pupil", "aaf-d99", {}, DAY) == {}
