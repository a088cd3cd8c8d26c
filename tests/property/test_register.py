"""The law of places: the stages agree on it, and taking something out of it never opens what was closed."""

import copy
from datetime import date
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from services.contract.policies import place_allowed
from services.filtering.decision import decide
from tests.property.laws import MIDDLE, laws, perimeter_of, perimeters, place_of, places, register_of
from tests.spec.table import LAW, base, rows

ROWS = [row.request for row in rows() if row.file == "R18-R20"]
SHIPPED = LAW.model_dump(mode="json", by_alias=True)
ENTRIES = [(part, country) for part in ("eea", "adequacy") for country in SHIPPED[part]]


def request_at(place: dict[str, Any], perimeter: dict[str, Any]) -> dict[str, Any]:
    request = base("public task")
    request["perimeter"] |= perimeter
    request["provider"]["places"] = [place]
    return request


@given(laws, places, perimeters)
def test_the_filter_releases_where_a_later_stage_lets_pass_and_nowhere_else(
    law: dict[str, Any], place: dict[str, Any], perimeter: dict[str, Any]
) -> None:
    register = register_of(law)
    allowed = place_allowed(perimeter_of(perimeter), register, place_of(place), date.fromisoformat(MIDDLE))

    assert (decide(request_at(place, perimeter), register).verdict == "release") is allowed


@given(laws, places, perimeters, st.data())
def test_an_entry_that_is_taken_out_of_a_register_never_releases(
    law: dict[str, Any], place: dict[str, Any], perimeter: dict[str, Any], data: st.DataObject
) -> None:
    entries = [(part, country) for part in ("eea", "adequacy") for country in law[part]]
    assume(entries)
    request = request_at(place, perimeter)
    assume(decide(request, register_of(law)).verdict != "release")
    part, country = data.draw(st.sampled_from(entries))
    less = copy.deepcopy(law)
    del less[part][country]

    assert decide(request, register_of(less)).verdict != "release"


@given(st.sampled_from(ROWS), st.lists(st.sampled_from(ENTRIES), min_size=1))
def test_less_law_never_turns_a_row_of_the_table_into_a_release(
    request: dict[str, Any], taken: list[tuple[str, str]]
) -> None:
    assume(decide(request, LAW).verdict != "release")
    less = copy.deepcopy(SHIPPED)
    for part, country in taken:
        less[part].pop(country, None)

    assert decide(request, register_of(less)).verdict != "release"


@given(laws, places, perimeters)
def test_a_declared_rule_that_is_taken_back_never_releases(
    law: dict[str, Any], place: dict[str, Any], perimeter: dict[str, Any]
) -> None:
    request = request_at(place, perimeter)
    assume(law["overseas"] and decide(request, register_of(law)).verdict != "release")

    assert decide(request, register_of({**law, "overseas": {"NC": None}})).verdict != "release"


@given(laws, places, perimeters)
def test_a_place_more_never_releases(law: dict[str, Any], place: dict[str, Any], perimeter: dict[str, Any]) -> None:
    register = register_of(law)
    alone = request_at(base("public task")["provider"]["places"][0], perimeter)
    both = copy.deepcopy(alone)
    both["provider"]["places"].append(place)

    assert decide(both, register).verdict != "release" or decide(alone, register).verdict == "release"
