from datetime import UTC, datetime
from typing import Any

import pytest

from services.contract.policies import policy_digest
from services.filtering.case import Person, Terms, field_values, out_of_scope, person_of, terms_of
from services.filtering.likeness import moment_of
from services.filtering.subject import NOBODY, Image, Subject, fold, take
from tests.replay.invented import INE, consent, contract_with, delete, joins, patch, policy

FIRST, SECOND = "guardian:aaf-d99:999-2001", "guardian:aaf-d99:999-2002"
AT = "2026-09-04T17:12:08+02:00"
NOW = moment_of(datetime(2026, 9, 15, 8, tzinfo=UTC))


def term_with(**differences: Any) -> Terms:
    terms = policy(contracts=contract_with(**differences))
    return terms_of(terms, policy_digest(terms))[0]


def person(subject: Subject) -> Person:
    found = person_of(INE, subject, NOW)
    assert found is not None
    return found


def pupil(legal: str | None = "1", *consents: tuple[str, str]) -> Subject:
    guardians = [{"id": "999-2001", "legal": "1"}, {"id": "999-2002", "legal": legal}]
    subject, _ = fold(NOBODY, joins(attributes={"guardians": guardians}))
    for party, status in consents:
        subject, _ = take(subject, consent(party, status, AT))
    return subject


@pytest.mark.parametrize(
    ("legal", "counts", "agrees", "opposes"),
    [
        pytest.param("1", True, True, True, id="a first holder consents and opposes"),
        pytest.param("2", False, True, True, id="a second holder opposes, and agrees where all must"),
        pytest.param("0", False, False, False, id="who holds no authority does neither"),
        pytest.param(None, False, False, True, id="who is not known may oppose"),
    ],
)
def test_word_of_a_guardian(legal: str | None, *, counts: bool, agrees: bool, opposes: bool) -> None:
    given = person(pupil(legal, (SECOND, "given")))
    refused = person(pupil(legal, (SECOND, "refused")))

    assert [record["party"] for record in given.consents] == [SECOND] * counts
    assert [record["party"] for record in given.all_holders] == [SECOND] * agrees
    assert [record["party"] for record in refused.consents] == [SECOND]
    assert (SECOND.removeprefix("guardian:") in refused.request["guardians"]) is opposes


def test_consent_of_a_guardian_whom_the_image_does_not_name_is_left_out() -> None:
    stranger = person(pupil("1", ("guardian:aaf-d99:999-9999", "given"), ("child", "given")))

    assert [record["party"] for record in stranger.consents] == ["child"]


def test_nobody_is_shown_by_a_patch_or_a_consent_alone() -> None:
    patched, _ = fold(NOBODY, patch("20260901.1.000000001", level="5EME"))
    consenting, _ = take(NOBODY, consent("child", "given", AT))

    assert person_of(INE, patched, NOW) is None
    assert person_of(INE, consenting, NOW) is None


def test_deleted_person_is_still_somebody_even_where_another_source_patches() -> None:
    subject, _ = fold(pupil(), delete("20261001.1.000000001"))
    subject, _ = fold(subject, patch("20261001.1.000000001", level="4EME").model_copy(update={"source": "aaa"}))

    assert person(subject).request["deleted"] is True
    assert person(subject).source == "aaf-d99"


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        pytest.param({"given_name": "Maïa"}, {"given_name": "Maïa", "email_relay": True}, id="said"),
        pytest.param({"level": None, "groups": [], "mef": ""}, {"email_relay": True}, id="known to be none"),
        pytest.param({"birth_date": "2013-05-03"},
                     {"birth_date": "2013-05-03", "birth_year": 2013, "email_relay": True}, id="a year of birth"),
        pytest.param({"guardians": [{"id": "1"}], "diffusion": False, "pupils": ["1"]}, {"email_relay": True},
                     id="links and restrictions are no field"),
    ],
)  # fmt: skip
def test_fields_of_an_image(attributes: dict[str, Any], expected: dict[str, Any]) -> None:
    assert field_values(Image("1", "pupil", "20260901.0.000000001", None, attributes, {})) == expected


@pytest.mark.parametrize(("diffusion", "restrictions"), [(False, ["no-diffusion"]), (True, []), (None, [])])
def test_no_diffusion_is_a_restriction(diffusion: bool | None, restrictions: list[str]) -> None:  # noqa: FBT001  # a row
    subject, _ = fold(NOBODY, joins(attributes={"diffusion": diffusion}))

    assert person(subject).request["restrictions"] == restrictions


@pytest.mark.parametrize(
    ("differences", "reason"),
    [
        ({}, None),
        ({"kinds": ["teacher"]}, "kind-not-in-contract"),
        ({"schools": ["0999001W"]}, None),
        ({"schools": ["0750001A"]}, "school-not-subscribed"),
        ({"schools": []}, "school-not-subscribed"),
    ],
)
def test_out_of_scope(differences: dict[str, Any], reason: str | None) -> None:
    assert out_of_scope(term_with(**differences), person(pupil())) == reason


def test_person_without_school_is_out_of_a_contract_that_names_schools() -> None:
    subject, _ = fold(NOBODY, joins(attributes={"school": None}))

    assert out_of_scope(term_with(schools=["0999001W"]), person(subject)) == "school-not-subscribed"


def test_terms_are_named_by_provider_and_contract() -> None:
    gar = policy()

    assert [term.pair for term in terms_of(gar, policy_digest(gar))] == ["gar/GAR-2026"]
