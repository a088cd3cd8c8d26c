import json
from typing import Any

import pytest

from ops.linting.personas import WITHOUT_CENSUS
from services.contract.attributes import ATTRIBUTE_CATEGORY
from services.contract.errors import NotThisSchema
from services.contract.policies import ProviderPolicy
from services.filtering.case import FIELD_CATEGORY
from services.ingress.processing import DATA_TERMS
from services.ingress.recording import receipt_of, record_of
from tests.replay.invented import example, policy
from tests.unit.recorded import LECTURE, NOW, decision, lecture, particulars

NEVER = {"special", "free-text", "national-id"}


def record(case: str = "guardian-gives", terms: ProviderPolicy = LECTURE, **differences: Any) -> dict[str, Any]:
    made = record_of(decision(case, **differences), terms, particulars())
    content: dict[str, Any] = json.loads(made.model_dump_json(by_alias=True))
    return content


@pytest.mark.parametrize("case", ["guardian-gives", "guardian-refuses", "guardian-withdraws", "adult-gives"])
def test_decision_becomes_the_record_that_was_written_by_hand(case: str) -> None:
    """The expected documents are the examples of the schema."""
    assert record(case) == example(f"consent-record/1/{case}")


@pytest.mark.parametrize("case", ["guardian-gives", "adult-gives"])
def test_receipt_is_a_copy_of_the_record_for_whoever_decided(case: str) -> None:
    made = receipt_of(record_of(decision(case), LECTURE, particulars()), NOW)

    assert json.loads(made.model_dump_json(by_alias=True)) == example(f"consent-receipt/1/{case}")


def test_child_decides_as_the_data_subject_that_the_child_is() -> None:
    made = record("child-gives")

    child = {"@type": ["dpv:DataSubject", "dpv:Child"], "dpv:hasIdentifier": "999000001AB"}
    assert made["dpv:hasDataSubject"] == made["dpv:hasConsentStatus"]["dpv:isIndicatedBy"] == child


@pytest.mark.parametrize(
    ("until", "contract_until", "kept"),
    [
        pytest.param(None, None, ("dpv:EndlessDuration", None), id="neither has an end"),
        pytest.param(None, "2027-08-31", ("dpv:UntilTimeDuration", "2027-08-31"), id="the contract has one"),
        pytest.param("2026-12-31T23:00:00Z", None, ("dpv:UntilTimeDuration", "2026-12-31T23:00:00+00:00"),
                     id="the consent has one"),
        pytest.param("2026-12-31T23:00:00Z", "2027-08-31", ("dpv:UntilTimeDuration", "2026-12-31T23:00:00+00:00"),
                     id="the consent ends first"),
        pytest.param("2028-01-01T00:00:00Z", "2027-08-31", ("dpv:UntilTimeDuration", "2027-08-31"),
                     id="the contract ends first"),
        pytest.param("2027-08-31T21:59:59Z", "2027-08-31", ("dpv:UntilTimeDuration", "2027-08-31T21:59:59+00:00"),
                     id="the consent ends within the contract's last day in Paris"),
    ],
)  # fmt: skip
def test_data_are_kept_to_the_earlier_end(until: str | None, contract_until: str | None, kept: tuple[str, str]) -> None:
    made = record(terms=lecture({"until": contract_until}), until=until)

    duration = made["dpv:hasProcess"]["dpv:hasStorageCondition"][1]["dpv:hasDuration"]
    assert (duration["@type"], duration["rdf:value"]) == kept


def test_processor_receives_for_the_controller_and_is_none() -> None:
    made = record(terms=lecture(role="processor"))

    assert made["dpv:hasProcess"]["dpv:hasDataController"] == ["urn:sanctuaire:controller:men"]
    assert made["dpv:hasEntity"][1]["@type"] == ["dpv:DataProcessor", "dpv:Organisation"]


def test_only_fields_that_may_leave_are_recorded() -> None:
    terms = lecture({"fields": ["ine", "given_name", "birth_date", "regime", "level"]})

    made = record(terms=terms)

    named = [one["dct:identifier"] for one in made["dpv:hasProcess"]["dpv:hasPersonalData"]]
    assert named == ["given_name", "level"]


def test_every_place_is_recorded_by_its_country() -> None:
    place = example("provider-policy/1/consent-service")["places"][0]
    places = [place, {**place, "kind": "backup", "country": "RE"}, {**place, "kind": "support", "country": "BE"}]

    process = record(terms=lecture(places=places))["dpv:hasProcess"]

    assert process["dpv:hasStorageCondition"][0]["dpv:hasLocation"] == ["loc:FR", "loc:RE"]
    assert process["dpv:hasProcessingCondition"]["dpv:hasLocation"] == ["loc:BE", "loc:FR", "loc:RE"]


def test_what_nobody_has_said_stays_unsaid() -> None:
    made = record(
        terms=lecture({"purpose": "another-purpose"}, controller={"id": "another"}), purpose="another-purpose"
    )

    purpose, controller = made["dpv:hasProcess"]["dpv:hasPurpose"], made["dpv:hasEntity"][0]
    assert (purpose["skos:broader"], purpose["dct:description"]) == (None, [])
    assert controller["dpv:hasName"] == "another"
    assert (controller["dpv:hasAddress"], controller["dpv:hasContact"]) == (None, None)


@pytest.mark.parametrize(
    ("terms", "differences", "said"),
    [
        pytest.param(policy("public-task"), {"provider": "gar", "purpose": "pedagogical-access"},
                     "purpose: it does not rest on consent", id="a public task"),
        pytest.param(LECTURE, {"purpose": "ZORVELQUIMUR"}, "purpose: no contract of this provider has it",
                     id="a purpose of no contract"),
        pytest.param(LECTURE, {"provider": "zorvelquimur"}, "provider: the policy is another's", id="another provider"),
    ],
)  # fmt: skip
def test_there_is_no_record_of_a_consent_that_nothing_rests_on(
    terms: ProviderPolicy, differences: dict[str, Any], said: str
) -> None:
    with pytest.raises(NotThisSchema) as refusal:
        record_of(decision("guardian-gives", **differences), terms, particulars())

    assert str(refusal.value).startswith(said)
    assert "zorvelquimur" not in str(refusal.value).lower()


def test_every_field_that_may_leave_has_a_category_and_no_other_has() -> None:
    may_leave = {
        field for field in FIELD_CATEGORY.keys() | WITHOUT_CENSUS if ATTRIBUTE_CATEGORY.get(field) not in NEVER
    }

    assert set(DATA_TERMS) == may_leave
