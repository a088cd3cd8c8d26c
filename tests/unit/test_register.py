from datetime import date
from typing import Any

import orjson
import pytest

from services.contract.errors import NotThisSchema
from services.contract.parsing import parse_payload
from services.contract.register import ASSIGNED, Register
from tests.spec.table import LAW

MEMBER = {"from": "2020-01-01", "until": "2020-12-31", "source": "a treaty"}


def register(**parts: Any) -> Register:
    content = {"eea": {}, "adequacy": {}, "overseas": {}, **parts}
    return parse_payload(Register, orjson.dumps(content), 100_000)


def test_economic_area_is_the_union_its_outermost_regions_and_three() -> None:
    countries = {*LAW.eea, *(each for member in LAW.eea.values() for each in member.territories)}

    assert len(LAW.eea) == 27 + 3
    assert LAW.home("FR") == {"FR", "GP", "MQ", "GF", "RE", "YT", "MF"}
    assert len(countries) == 27 + 6 + 3
    assert all(LAW.in_eea(country, date(2026, 9, 15)) for country in countries)


def test_every_country_code_is_assigned_and_none_is_listed_twice() -> None:
    assert len(ASSIGNED) == 249
    assert list(LAW.contradictions()) == []


def test_register_of_adequacy_is_that_of_the_decisions() -> None:
    """Days of adoption, Official Journal; Brazil and the end for the United Kingdom as the rules give them."""
    adequate = {
        code: (entry.from_, entry.until, entry.scope) for code, entries in LAW.adequacy.items() for entry in entries
    }

    assert adequate == {
        "AD": (date(2010, 10, 19), None, None),
        "AR": (date(2003, 6, 30), None, None),
        "BR": (date(2026, 1, 26), None, None),
        "CA": (date(2001, 12, 20), None, "pipeda-commercial"),
        "CH": (date(2000, 7, 26), None, None),
        "FO": (date(2010, 3, 5), None, None),
        "GB": (date(2021, 6, 28), date(2031, 12, 27), None),
        "GG": (date(2003, 11, 21), None, None),
        "IL": (date(2011, 1, 31), None, None),
        "IM": (date(2004, 4, 28), None, None),
        "JE": (date(2008, 5, 8), None, None),
        "JP": (date(2019, 1, 23), None, "appi"),
        "KR": (date(2021, 12, 17), None, None),
        "NZ": (date(2012, 12, 19), None, None),
        "US": (date(2023, 7, 10), None, "dpf"),
        "UY": (date(2012, 8, 21), None, None),
    }


def test_overseas_no_rule_is_declared() -> None:
    assert LAW.overseas == dict.fromkeys(("NC", "PF", "WF", "PM", "BL", "TF"))


@pytest.mark.parametrize(
    ("day", "inside"),
    [
        (date(2019, 12, 31), False),
        (date(2020, 1, 1), True),
        (date(2020, 12, 31), True),
        (date(2021, 1, 1), False),
    ],
)
def test_a_member_is_one_between_its_days_and_so_are_its_territories(day: date, inside: bool) -> None:  # noqa: FBT001
    law = register(eea={"ES": {**MEMBER, "territories": ["IC"]}})

    assert law.in_eea("ES", day) is inside
    assert law.in_eea("IC", day) is inside


def test_a_country_without_territories_is_its_own_home() -> None:
    law = register(eea={"DE": MEMBER})

    assert law.home("DE") == {"DE"}
    assert law.home("IN") == {"IN"}


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        pytest.param({"eea": {"FR": MEMBER}}, [], id="clear"),
        pytest.param(
            {"eea": {"CH": MEMBER}, "adequacy": {"CH": [{**MEMBER, "scope": None}]}}, [],
            id="adequate until it is a member",
        ),
        pytest.param(
            {"eea": {"FR": {**MEMBER, "territories": ["NC"]}}, "overseas": {"NC": None}},
            ["register: NC is listed twice"], id="inside and overseas",
        ),
        pytest.param(
            {"eea": {"FR": {**MEMBER, "territories": ["DE"]}, "DE": MEMBER}}, ["register: DE is listed twice"],
            id="a member's territory is a member",
        ),
        pytest.param({"adequacy": {"UK": []}}, ["register: UK is no country code"], id="no country code"),
    ],
)  # fmt: skip
def test_contradictions(parts: dict[str, Any], said: list[str]) -> None:
    assert list(register(**parts).contradictions()) == said


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"eea": {"fr": MEMBER}}, id="small letters"),
        pytest.param({"eea": {"FR": {"from": "2020-01-01", "until": None}}}, id="no source"),
        pytest.param({"adequacy": {"CA": [{**MEMBER, "scope": "commerce"}]}}, id="an unknown scope"),
        pytest.param({"overseas": {"NC": {**MEMBER, "treated_as": "home"}}}, id="an unknown rule"),
        pytest.param({"dpf": {}}, id="operators do not travel"),
    ],
)
def test_what_is_no_register_is_refused(parts: dict[str, Any]) -> None:
    with pytest.raises(NotThisSchema):
        register(**parts)
