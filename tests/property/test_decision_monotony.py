"""What is taken away, or not known, never opens what was closed."""

import copy
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.filtering.decision import decide
from tests.property.decision_requests import anything, mutated, paths, put, released, take, valid
from tests.spec.table import LAW, Row, base, rows

OPTIONAL = {"providers", "joint_consent_from", "require_secnumcloud", "grounds"}
IGNORED = {"weather", "version"}


def without_consents_of(request: dict[str, Any], party: str) -> dict[str, Any]:
    changed = copy.deepcopy(request)
    changed["consents"] = [c for c in changed["consents"] if (c["party"], c["status"]) != (party, "given")]
    return changed


CONSENT_ROWS = [
    row.request
    for row in rows()
    if row.file == "R09-R14" and all(isinstance(c, dict) for c in row.request.get("consents") or [])
]


@given(st.sampled_from(CONSENT_ROWS), st.sampled_from(["child", "subject", "guardian:g1", "guardian:g2"]))
def test_taking_away_what_a_party_gave_never_releases(request: dict[str, Any], party: str) -> None:
    assume(request["consents"] and decide(request, LAW).verdict != "release")

    assert decide(without_consents_of(request, party), LAW).verdict != "release"


PLACE_ROWS = [row.request for row in rows() if row.file == "R18-R20"]


@given(st.sampled_from(PLACE_ROWS), st.sampled_from(["IN", "ZZ", "NC", "CA"]))
def test_taking_away_the_adequacy_of_a_place_never_releases(request: dict[str, Any], country: str) -> None:
    assume(request["provider"]["places"][0]["instrument"] is None and decide(request, LAW).verdict != "release")
    changed = copy.deepcopy(request)
    changed["provider"]["places"][0] |= {"country": country, "scope": []}

    assert decide(changed, LAW).verdict != "release"


@given(valid)
def test_without_a_contract_nothing_is_released(request: dict[str, Any]) -> None:
    assume(isinstance(request.get("provider"), dict))
    request["provider"]["contract"] = None

    assert decide(request, LAW).verdict != "release"


NAMES = ["given_name", "level", "school", "groups", "commune", "street", "mail", "meal"]
CATEGORIES = ["identity", "schooling", "contact", "address", "special", "free-text", "national-id"]
some_names = st.lists(st.sampled_from(NAMES), max_size=6)
some_fields = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(NAMES), "category": st.sampled_from(CATEGORIES)}), max_size=6
)
some_restrictions = st.lists(st.sampled_from(["protected-address", "no-diffusion"]), max_size=2)


@given(some_names, some_names, some_fields, some_restrictions)
def test_no_field_leaves_that_contract_allow_list_category_or_restriction_keep_back(
    agreed: list[str], allowed: list[str], offered: list[dict[str, str]], restrictions: list[str]
) -> None:
    request = base("public task")
    request["provider"]["contract"]["fields"] = {"pedagogical-access": agreed}
    request["provider"]["contract"]["required"] = {"pedagogical-access": []}
    request["perimeter"]["allowed_fields"] = allowed
    request["fields"] = offered
    request["subject"]["restrictions"] = restrictions
    closed = {"special", "free-text", "national-id"} | ({"address", "contact"} if restrictions else set())
    expected = {field["name"] for field in offered if field["name"] in agreed and field["name"] in allowed}
    expected -= {field["name"] for field in offered if field["category"] in closed}
    expected -= {f["name"] for f in offered if f["category"] == "address" and f["name"] != "commune"}
    expected -= {"school", "groups"} if "protected-address" in restrictions else set()

    verdict = decide(request, LAW)

    assert set(verdict.fields) == expected
    assert set(verdict.dropped) == {field["name"] for field in offered} - expected


@given(mutated())
def test_field_that_was_not_offered_never_leaves(request: dict[str, Any]) -> None:
    fields = decide(request, LAW).fields

    assert not fields or set(fields) <= {field["name"] for field in request["fields"]}


def test_every_key_that_is_taken_away_holds_unless_it_is_optional() -> None:
    """No hypothesis: there are few enough to try them all."""
    request = base("public task")
    for path in [p for p in paths(request) if isinstance(p[-1], str)]:
        changed = copy.deepcopy(request)
        take(changed, path)
        verdict = decide(changed, LAW)

        assert path[-1] in OPTIONAL or (verdict.verdict, verdict.reasons[0].rule) == ("hold", "R0"), path


@given(released, st.data())
def test_value_of_no_known_kind_never_releases(request: dict[str, Any], data: st.DataObject) -> None:
    known = [p for p in paths(request) if p[0] not in IGNORED and not _is_other_purpose(p, request)]
    path = data.draw(st.sampled_from(known))
    put(request, path, 7.5)

    assert decide(request, LAW).verdict != "release"


@given(released, st.data())
def test_unknown_value_never_erases_what_could_be_released(request: dict[str, Any], data: st.DataObject) -> None:
    request["subject"]["delivered"] = True
    assume(decide(request, LAW).verdict == "release")
    # Where somebody once said no, what cannot be read may not hide it: the erasure is owed (rules.md, R1 before R0).
    assume(all(record["status"] == "given" for record in request["consents"]))
    known = [p for p in paths(request) if p[0] not in IGNORED and not _is_other_purpose(p, request)]
    put(request, data.draw(st.sampled_from(known)), 7.5)

    assert decide(request, LAW).verdict == "hold"


@given(mutated())
def test_nothing_is_erased_unless_it_was_delivered(request: dict[str, Any]) -> None:
    subject = request.get("subject")
    delivered = isinstance(subject, dict) and subject.get("delivered") is True

    assert delivered or decide(request, LAW).verdict != "erase"


@given(mutated(), anything)
def test_deleted_person_who_was_delivered_is_erased_whatever_else_the_request_holds(
    request: dict[str, Any], subject: object
) -> None:
    request["subject"] = {"deleted": True, "delivered": True, "kind": subject}

    assert decide(request, LAW).verdict == "erase"
    assert [r.code for r in decide(request, LAW).reasons] == ["subject-deleted"]


@given(valid, st.randoms())
def test_order_of_consents_objections_and_places_changes_nothing(request: dict[str, Any], random: Any) -> None:
    before = decide(request, LAW)
    for items in (request.get("consents"), request.get("objections")):
        if isinstance(items, list):
            random.shuffle(items)

    after = decide(request, LAW)

    assert (after.verdict, after.fields, after.restrict) == (before.verdict, before.fields, before.restrict)
    assert {r.rule for r in after.reasons} == {r.rule for r in before.reasons}


AT_STAKE = [
    row
    for row in rows()
    if row.verdict == "withhold"
    and row.request["subject"]["delivered"] is False
    and "article-18" not in row.request["subject"]["restrictions"]
]


@pytest.mark.parametrize("row", AT_STAKE, ids=lambda row: row.id)
def test_what_is_withheld_is_no_softer_once_it_was_delivered(row: Row) -> None:
    request = copy.deepcopy(row.request)
    request["subject"]["delivered"] = True

    assert decide(request, LAW).verdict in {"withhold", "erase"}


def _is_other_purpose(path: tuple[Any, ...], request: dict[str, Any]) -> bool:
    """Say whether a value lies under a purpose of the contract that is not the request's."""
    return (
        path[:2] == ("provider", "contract")
        and len(path) > 3
        and path[2] in {"fields", "required"}
        and (path[3] != request["purpose"])
    )
