from datetime import UTC, datetime
from typing import Any

import pytest

from services.contract.policies import policy_digest
from services.filtering.case import Person, field_values, out_of_scope, person_of
from services.filtering.folding import fold, take
from services.filtering.likeness import moment_of
from services.filtering.subject import NOBODY, Image, Subject
from services.filtering.terms import Terms, terms_of
from tests.replay.invented import INE, consent, contract_with, delete, joins, patch, policy

FIRST, SECOND = "guardian:aaf-d99:999-2001", "guardian:aaf-d99:999-2002"
AT = "2026-09-04T17:12:08+02:00"
LATER = "2026-09-05T10:00:00+02:00"
NOW = moment_of(datetime(2026, 9, 15, 8, tzinfo=UTC))


def term_with(**differences: Any) -> Terms:
    terms = policy(contracts=contract_with(**differences))
    return terms_of(terms, policy_digest(terms))[0]


def person(subject: Subject) -> Person:
    found = person_of(INE, subject, NOW)
    assert found is not None
    return found


def pupil(legal: str | None = "1", *consents: tuple[str, ...]) -> Subject:
    """Each consent: party, status and, where it is not `AT`, the instant."""
    guardians = [{"id": "999-2001", "legal": "1"}, {"id": "999-2002", "legal": legal}]
    subject, _ = fold(NOBODY, joins(attributes={"guardians": guardians}))
    for party, status, *instant in consents:
        subject, _ = take(subject, consent(party, status, *(instant or [AT])))
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


@pytest.mark.parametrize("legal", ["1", "2", "0", None])
def test_who_said_no_and_then_yes_opposes_no_longer_even_where_her_yes_does_not_count(legal: str | None) -> None:
    """The last word counts (rules.md), and it is not a no."""
    changed = person(pupil(legal, (SECOND, "refused"), (SECOND, "given", LATER)))

    assert [record["status"] for record in changed.consents if record["status"] != "given"] == ["refused"] * (
        legal == "1"
    )
    assert [record["status"] for record in changed.all_holders][-1:] == ["given"] * (legal in {"1", "2"})


@pytest.mark.parametrize(
    ("then", "stands"),
    [
        pytest.param(("given", "2026-09-30T10:00:00+02:00"), True, id="a yes of tomorrow lifts nothing today"),
        pytest.param(("given", AT), True, id="of one instant the no counts"),
        pytest.param(("given", LATER), False, id="a later yes lifts it"),
    ],
)  # fmt: skip
def test_when_a_yes_that_does_not_count_lifts_a_no(then: tuple[str, str], *, stands: bool) -> None:
    changed = person(pupil("2", (SECOND, "refused"), (SECOND, *then)))

    assert ([record["status"] for record in changed.consents] == ["refused"]) is stands


def test_a_yes_lifts_no_other_providers_no() -> None:
    subject = pupil("2", (SECOND, "refused"))
    subject, _ = take(subject, consent(SECOND, "given", LATER, provider="another"))

    assert [record["status"] for record in person(subject).consents] == ["refused"]


def test_holder_of_another_directory_opposes_what_she_said_no_to_and_is_nobodys_holder() -> None:
    subject = pupil("1", ("guardian:ent-d99:7", "refused"))
    away = joins(source="ent-d99", id="e-1", version="20250901.0.000000001",
                 attributes={"guardians": [{"id": "7", "legal": "1"}, {"id": "8", "legal": "1"}]})  # fmt: skip
    subject, _ = fold(subject, away)
    shown = person(subject)

    assert shown.source == "aaf-d99"
    assert shown.request["opposing"] == ["ent-d99:7"]
    assert shown.request["guardians"] == ["aaf-d99:999-2001", "aaf-d99:999-2002"]


@pytest.mark.parametrize(
    "ended",
    [
        pytest.param({"authority_until": "2026-09-14"}, id="it has ended"),
        pytest.param({"authority_from": "2026-12-01"}, id="it has not begun"),
        pytest.param({"legal": "0"}, id="she has none"),
    ],
)
def test_opposition_of_a_holder_of_another_directory_lapses_with_her_authority(ended: dict[str, str]) -> None:
    subject = pupil("1", ("guardian:ent-d99:7", "refused"))
    link = {"id": "7", "legal": "1", **ended}
    away = joins(source="ent-d99", id="e-1", version="20250901.0.000000001", attributes={"guardians": [link]})
    subject, _ = fold(subject, away)

    assert "opposing" not in person(subject).request


EARLIER, SHOWN, AFTERWARDS = ("20260830.1.000000001", "20260901.0.000000001", "20260902.1.000000001")


@pytest.mark.parametrize(
    ("elsewhere", "shown", "is_held_back"),
    [
        pytest.param((EARLIER, False), None, True, id="a no is not forgotten where the directory shown says nothing"),
        pytest.param((EARLIER, False), True, False, id="a later yes lifts it"),
        pytest.param((EARLIER, True), False, True, id="a later no counts"),
        pytest.param((SHOWN, False), True, True, id="of one version the no counts"),
        pytest.param((EARLIER, True), None, False, id="a yes is none"),
        pytest.param((EARLIER, None), None, False, id="nobody says it"),
    ],
)
def test_whether_an_address_may_be_passed_on_is_the_last_word_of_all_directories(
    elsewhere: tuple[str, bool | None],
    shown: bool | None,  # noqa: FBT001  # a row
    is_held_back: bool,  # noqa: FBT001  # a row
) -> None:
    version, diffusion = elsewhere
    subject, _ = fold(NOBODY, joins(version=SHOWN, attributes={"diffusion": shown}))
    away = joins(source="zzz", id="e-1", version=version, attributes={"diffusion": diffusion})
    subject, _ = fold(subject, away)

    assert person(subject).source == "aaf-d99"
    assert person(subject).request["restrictions"] == ["no-diffusion"] * is_held_back


def test_directory_that_has_let_go_of_a_person_holds_no_address_back() -> None:
    subject, _ = fold(NOBODY, joins(version=SHOWN, attributes={"diffusion": None}))
    away = joins(source="zzz", id="e-1", version=EARLIER, attributes={"diffusion": False})
    subject, _ = fold(subject, away)
    subject, _ = fold(subject, delete(AFTERWARDS, source="zzz", id="e-1"))

    assert person(subject).request["restrictions"] == []


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
