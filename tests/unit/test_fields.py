from typing import Any

import pytest

from services.contract.changes import ATTRIBUTE_CATEGORY
from services.contract.errors import NotAnIdentifier
from services.contract.naming import NamedBy
from services.pseudonymisation.fields import LISTED, Renaming

PLAIN = {"family_name", "birth_name", "given_name", "other_given_names", "title", "birth_date", "birth_year",
         "level", "mef", "subjects", "commune", "departement", "region", "age_13", "age_15", "age_16",
         "age_18"}  # fmt: skip
RENAMED = {"school", "email_relay", "divisions", "groups", "teaches_divisions", "teaches_groups"}


def name(named_by: NamedBy) -> str:
    return f"<{named_by.namespace}|{named_by.type}|{named_by.value}>"


def seen(relay: str | None = None, **fields: Any) -> dict[str, Any]:
    return Renaming("aaf-d99", "FR", name).renamed(fields, relay)


def test_the_closed_list_is_this() -> None:
    assert LISTED == PLAIN | RENAMED


@pytest.mark.parametrize("field", sorted((ATTRIBUTE_CATEGORY.keys() - LISTED) | {"nickname", "seq", "__class__", ""}))
def test_field_that_is_not_listed_leaves_in_no_form(field: str) -> None:
    assert seen("r@relay.example.test", **{field: "x", "level": "5EME"}) == {"level": "5EME"}


@pytest.mark.parametrize("field", sorted(PLAIN))
def test_plain_field_passes_as_it_is(field: str) -> None:
    assert seen(**{field: "x"}) == {field: "x"}


def test_school_is_named_pairwise_in_the_perimeter() -> None:
    assert seen(school="0999001W") == {"school": "<FR|UAI|0999001W>"}


@pytest.mark.parametrize("school", ["0999001A", "", "0"])
def test_school_without_a_true_uai_has_no_name(school: str) -> None:
    with pytest.raises(NotAnIdentifier):
        seen(school=school)


@pytest.mark.parametrize(
    ("field", "entry", "group"),
    [
        ("divisions", {"school": "0999001W", "code": "5B"}, {"id": "<aaf-d99|local|0999001W$5B>"}),
        ("groups", {"school": "0999001W", "code": "5LATIN"}, {"id": "<aaf-d99|local|0999001W$5LATIN>"}),
        ("groups", {"school": "0999001W", "code": "5LATIN", "label": "5LATIN"},
         {"id": "<aaf-d99|local|0999001W$5LATIN>", "label": "5LATIN"}),
        ("teaches_divisions", {"school": "0999001W", "division": "5B", "subject": "061300"},
         {"id": "<aaf-d99|local|0999001W$5B>", "subject": "061300"}),
        ("teaches_groups", {"school": "0999001W", "group": "5LATIN", "subject": "020700"},
         {"id": "<aaf-d99|local|0999001W$5LATIN>", "subject": "020700"}),
        ("teaches_groups", {"school": "0999001W", "group": "5LATIN", "subject": "020700", "label": "5LATIN"},
         {"id": "<aaf-d99|local|0999001W$5LATIN>", "subject": "020700", "label": "5LATIN"}),
    ],
)  # fmt: skip
def test_group_is_named_in_its_source_and_has_the_label_that_the_filter_gave_it_alone(
    field: str, entry: dict[str, str], group: dict[str, str]
) -> None:
    assert Renaming("aaf-d99", "FR", name).renamed({field: [entry]}, None) == {field: [group]}


def test_relay_alias_needs_a_relay_domain() -> None:
    assert seen(email_relay=True) == {}
    assert seen("r@relay.example.test", email_relay=True) == {"email_relay": "r@relay.example.test"}
    assert seen("r@relay.example.test", email="maia@example.test") == {}


def test_groups_are_in_the_order_of_their_names_at_the_provider_and_not_of_their_codes() -> None:
    def backwards(named_by: NamedBy) -> str:
        return {"0999001W$A": "z", "0999001W$B": "y"}[named_by.value]

    groups = [{"school": "0999001W", "code": code} for code in "AB"]

    assert Renaming("aaf-d99", "FR", backwards).renamed({"groups": groups}, None) == {
        "groups": [{"id": "y"}, {"id": "z"}]
    }
