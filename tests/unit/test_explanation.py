from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from services.contract.policies import policy_digest
from services.contract.reasons import Rule
from services.contract.rulebook import RULEBOOK
from services.filtering.case import person_of
from services.filtering.decision import decide
from services.filtering.explanation import Explanation, Found, explain
from services.filtering.folding import fold
from services.filtering.inquiry import Inquiry, inquire
from services.filtering.likeness import moment_of
from services.filtering.parsing import read_policy
from services.filtering.subject import NOBODY
from services.filtering.terms import terms_of
from tests.replay.invented import INE, contract_with, joins, policy
from tests.spec.table import LAW, base, differ


def explained(name: str, differences: str = "") -> Explanation:
    request = differ(base(name), differences)
    return explain(read_policy(request, LAW), request)


def standings(explanation: Explanation) -> dict[str, str]:
    return {line.rule: line.standing for line in explanation.lines}


def test_every_rule_has_a_question_and_a_source() -> None:
    assert tuple(RULEBOOK) == get_args(Rule)
    assert all(asked.question.endswith((".", "?")) and asked.source for asked in RULEBOOK.values())


def test_a_release_on_a_public_task_shows_what_passed_and_what_was_never_asked() -> None:
    explanation = explained("public task")

    assert standings(explanation) == {
        "R0": "passes", "R1": "not-asked", "R2": "passes", "R3": "passes", "R4": "not-asked", "R5": "not-asked",
        "R6": "not-asked", "R7": "not-asked", "R8": "not-asked", "R9": "not-asked", "R13": "not-asked",
        "R10": "not-asked", "R11": "not-asked", "R12": "not-asked", "R14": "not-asked", "R15": "passes",
        "R16": "passes", "R17": "passes", "R18": "passes", "R19": "not-asked", "R20": "passes", "R21": "passes",
        "R22": "passes", "R23": "not-asked",
    }  # fmt: skip
    assert {line.rule: line.ground for line in explanation.lines if line.ground} == {"R3": "public-task"}


@pytest.mark.parametrize(
    ("request_of", "differences", "expected"),
    [
        pytest.param("child", "", {"R9": "passes", "R10": "passes", "R11": "not-asked", "R13": "passes"}, id="a child"),
        pytest.param("minor", "", {"R10": "not-asked", "R11": "passes", "R14": "passes"}, id="a minor"),
        pytest.param("adult", "", {"R11": "not-asked", "R12": "passes", "R14": "not-asked"}, id="an adult"),
        pytest.param("child", "subject.birth_date=null", {"R9": "assumes", "R10": "passes"}, id="of unknown age"),
        pytest.param("child", "subject.birth_date absent",
                     {"R0": "holds", "R9": "passes", "R10": "unknown", "R11": "unknown", "R12": "unknown"},
                     id="of an age that cannot be read"),
        pytest.param("public task", "legal_basis.article absent", {"R0": "holds", "R3": "unknown", "R8": "unknown"},
                     id="on an unknown ground"),
        pytest.param("united states", "", {"R18": "passes", "R19": "passes", "R20": "not-asked"}, id="in the US"),
        pytest.param("public task", "subject.delivered=true", {"R1": "passes"}, id="who is known already"),
        pytest.param("many fields", "fields+=ine national-id; fields+=street address",
                     {"R16": "drops", "R17": "passes", "R23": "drops"}, id="with fields that never leave"),
    ],
)  # fmt: skip
def test_how_a_rule_stands_to(request_of: str, differences: str, expected: dict[str, str]) -> None:
    actual = standings(explained(request_of, differences))

    assert {rule: actual[rule] for rule in expected} == expected


def test_an_erasure_that_is_owed_asks_no_other_rule() -> None:
    explanation = explained("public task", "subject.delivered=true; subject.deleted=true")
    first, *others = sorted(explanation.lines, key=lambda line: line.rule != "R1")

    assert (first.standing, first.found) == ("fails", (Found("subject-deleted", "erase"),))
    assert {line.standing for line in others} == {"not-asked"}


def test_every_finding_of_a_rule_is_shown_and_not_the_first_alone() -> None:
    explanation = explained("united states", "provider.places[0].dpf=null; provider.places[0].instrument=null")

    (line,) = [line for line in explanation.lines if line.rule == "R19"]

    assert line.found == (Found("no-dpf-entry", "withhold"), Found("no-instrument", "withhold"))


def test_a_field_shows_every_rule_that_drops_it_and_the_contract_what_is_absent() -> None:
    explanation = explained(
        "many fields", 'fields+=ine national-id; fields+=street address; perimeter.allowed_fields=["given_name"]'
    )
    rules = {str(field.name): field.rules for field in explanation.fields}

    assert rules["given_name"] == ()
    assert rules["ine"] == ("R16", "R17")
    assert rules["street"] == ("R17", "R23")
    assert "school" in explanation.absent
    assert explanation.required == ("level",)


def test_a_guardian_is_a_number_and_who_is_none_of_hers_another() -> None:
    explanation = explained("child", "consents+=guardian:CANARY refused 2026-09-02T00:00:00Z")

    assert [(line.party, line.says.name, line.code) for line in explanation.parties] == [
        ("subject", "YES", None), ("guardian 1", "YES", None), ("guardian 2", "NOTHING", None),
        ("another", "NO", "consent-refused"),
    ]  # fmt: skip
    assert explanation.parties[0].at == datetime(2026, 9, 1, tzinfo=UTC)
    assert "CANARY" not in repr(explanation)


def test_nobody_s_word_is_shown_where_consent_is_not_consulted() -> None:
    assert explained("public task", "consents+=child given 2026-09-01T00:00:00Z").parties == ()


def inquired(differences: dict[str, Any], **attributes: Any) -> Inquiry:
    under = policy(contracts=contract_with(**differences))
    moment = moment_of(datetime(2026, 9, 15, 8, tzinfo=UTC))
    person = person_of(INE, fold(NOBODY, joins(attributes=attributes))[0], moment)
    assert person is not None
    (term,) = terms_of(under, policy_digest(under))
    return inquire(person, term, moment, delivered=False)


def test_a_value_with_a_trace_is_explained_with_what_was_found_in_it() -> None:
    asked = inquired({}, given_name="Camille 06 39 98 00 12")

    assert asked.traces == {"given_name": {"phone"}}
    assert asked.explanation.verdict.verdict == "release"
    assert asked.explanation.verdict.dropped["given_name"] == "R16"


def test_a_person_of_whom_the_contract_does_not_speak_is_explained_as_such() -> None:
    asked = inquired({"kinds": ["teacher"]})

    assert asked.scope == "kind-not-in-contract"
    assert [reason.code for reason in asked.explanation.verdict.reasons] == ["no-contract"]


def test_an_explanation_is_of_the_same_verdict_as_decide_gives() -> None:
    request = base("child")

    assert explained("child").verdict == decide(request, LAW)
