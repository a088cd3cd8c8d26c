import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ops.cli import main
from ops.linting.contracts import lint
from ops.linting.needs import NEEDS_FILE, Needs, read_needs
from ops.linting.notes import NOTES, Note
from ops.linting.personas import FIELDS_OF
from ops.policy_files import POLICIES_FOLDER, read_policies
from services.contract.errors import NotThisFormat, NotThisSchema
from services.contract.policies import ProviderPolicy
from tests.replay.invented import merged

TODAY = date(2026, 9, 15)
NEEDS = read_needs(POLICIES_FOLDER / NEEDS_FILE)


def policy(provider: str = "gar", contract: dict[str, Any] | None = None, **differences: Any) -> ProviderPolicy:
    """One of the project's, with differences at any depth; `contract` differs inside its only contract."""
    whole = read_policies(POLICIES_FOLDER)[provider].model_dump(mode="json", by_alias=True)
    whole["contracts"] = [merged(whole["contracts"][0], contract or {})]
    return ProviderPolicy.model_validate_json(json.dumps(merged(whole, differences)))


def notes(provider: str = "gar", contract: dict[str, Any] | None = None, **differences: Any) -> list[tuple[str, str]]:
    return [(note.code, note.where) for note in linted(policy(provider, contract, **differences))]


def linted(of: ProviderPolicy, day: date = TODAY, needs: Needs = NEEDS) -> list[Note]:
    return lint([of], needs, day)


def test_the_contracts_of_the_project_leave_the_notes_that_are_meant() -> None:
    found = lint(read_policies(POLICIES_FOLDER).values(), NEEDS, TODAY)

    assert [(note.provider, note.level, note.code, note.where) for note in found] == [
        ("gar", "know", "groups-at-two-providers", "fields.divisions"),
        ("lecture", "know", "joint-consent", "legal_basis.article"),
        ("lecture", "know", "groups-at-two-providers", "fields.divisions"),
        ("suite", "blocks", "R20/control-abroad", "places[0] (storage, FR, grand-large-cloud)"),
        ("suite", "blocks", "R19/dpf-not-allowed", "places[1] (support, US, grand-large-inc)"),
        ("suite", "blocks", "R19/no-instrument", "places[1] (support, US, grand-large-inc)"),
        ("suite", "blocks", "R19/article-46-not-allowed", "places[1] (support, US, grand-large-inc)"),
        ("suite", "blocks", "R20/control-abroad", "places[1] (support, US, grand-large-inc)"),
        ("suite", "know", "joint-consent", "legal_basis.article"),
        ("suite", "know", "groups-at-two-providers", "fields.divisions"),
    ]


def test_two_contracts_of_one_provider_may_both_have_its_classes() -> None:
    one = policy("gar")
    other = one.contracts[0].model_copy(update={"id": "gar-2027"})

    found = linted(one.model_copy(update={"contracts": (*one.contracts, other)}))

    assert "groups-at-two-providers" not in {note.code for note in found}


def test_classes_of_teachers_are_not_those_that_join_pupils() -> None:
    found = lint([policy("gar"), policy("lecture", {"kinds": ["teacher"]})], NEEDS, TODAY)

    assert "groups-at-two-providers" not in {note.code for note in found}


FIELDS = ["given_name", "family_name", "level", "school"]


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        pytest.param({"fields": [*FIELDS, "birth_year"]}, ("field-without-need", "fields.birth_year"), id="no need"),
        pytest.param({"fields": [*FIELDS, "shoe_size"]}, ("field-unknown", "fields.shoe_size"), id="unknown"),
        pytest.param({"fields": [*FIELDS, "guardians"]}, ("field-unknown", "fields.guardians"), id="a link"),
        pytest.param({"fields": [*FIELDS, "ine"]}, ("field-never-leaves", "fields.ine"), id="never leaves"),
        pytest.param({"fields": [*FIELDS, "regime"]}, ("field-never-leaves", "fields.regime"), id="special"),
        pytest.param({"fields": [*FIELDS, "birth_name"]}, ("field-not-allowed", "fields.birth_name"), id="not allowed"),
        pytest.param({"fields": [*FIELDS, "email_relay"]}, ("field-without-relay", "fields.email_relay"), id="alias"),
        pytest.param({"fields": [*FIELDS, "commune"]}, ("field-without-census", "fields.commune"), id="no census"),
        pytest.param({"fields": FIELDS, "kinds": ["teacher"]}, ("field-nobody-has", "fields.level"), id="of pupils"),
        pytest.param({"fields": [*FIELDS, "school"]}, ("field-twice", "fields.school"), id="twice"),
        pytest.param({"fields": FIELDS, "required": ["level"]},
                     ("kind-lacks-required-field", "required: teachers, staff"), id="a kind without what is required"),
        pytest.param({"fields": [*FIELDS, "ine"], "required": ["ine"]},
                     ("R16/required-field-dropped", "pupils under 15, pupils from 15 to 17, pupils of age"),
                     id="what is required never leaves"),
        pytest.param({"fields": ["birth_name"], "required": []}, ("R17/nothing-left", "everybody"), id="none left"),
        pytest.param({"kinds": ["pupil", "guardian"]}, ("R3/kind-not-covered-by-act", "guardians"), id="no guardian"),
        pytest.param({"legal_basis": {"act": None}}, ("R3/no-act", "everybody"), id="no act"),
        pytest.param({"legal_basis": {"register_entry": None}}, ("R3/no-register-entry", "everybody"), id="no entry"),
        pytest.param({"notice": None}, ("R3/no-notice", "everybody"), id="no notice"),
        pytest.param({"until": "2026-09-14"}, ("R2/contract-over", "everybody"), id="over"),
        pytest.param({"from": "2026-09-16"}, ("R2/contract-not-begun", "everybody"), id="not begun"),
        pytest.param({"until": "2026-09-15"}, ("R2/contract-over", "from 2026-09-16"), id="over tomorrow"),
        pytest.param({"until": "2026-12-13"}, ("R2/contract-over", "from 2026-12-14"), id="over in ninety days"),
        pytest.param({"legal_basis": {"act": {"until": "2026-10-31"}}}, ("R3/act-not-in-force", "from 2026-11-01"),
                     id="an act that ends soon"),
        pytest.param({"kinds": []}, ("no-kind", "kinds"), id="no kind"),
        pytest.param({"schools": []}, ("no-school", "schools"), id="no school"),
        pytest.param({"purpose": "weather"}, ("purpose-without-needs", "purpose: weather"), id="a new purpose"),
        pytest.param({"purpose": "reading-practice"}, ("live-without-need", "release_window_seconds"), id="live"),
    ],
)  # fmt: skip
def test_a_contract_on_a_public_task_is_noted(contract: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in notes("gar", contract)


CONSENT = ("joint-consent", "legal_basis.article")


@pytest.mark.parametrize(
    ("contract", "expected"),
    [
        pytest.param({}, [CONSENT], id="as it is"),
        pytest.param({"notice": None}, [("notice-missing", "notice"), CONSENT], id="a consent without notice"),
        pytest.param({"legal_basis": {"usual_act": False}}, [("unanimous-consent", "legal_basis.article")], id="rare"),
        pytest.param({"legal_basis": {"optional_service": False}}, [("R8/service-not-optional", "everybody"), CONSENT],
                     id="a service that cannot be declined"),
        pytest.param({"legal_basis": {"register_entry": None}},
                     [CONSENT, ("no-register-entry", "legal_basis.register_entry")], id="no entry in the register"),
        pytest.param({"kinds": ["teacher", "guardian"]}, [("field-nobody-has", "fields.level")], id="adults"),
        pytest.param({"legal_basis": {"article": "6(1)(f)", "balancing": "B-1"}},
                     [("R5/public-authority-in-task", "everybody")], id="an authority's legitimate interest"),
        pytest.param({"legal_basis": {"article": "6(1)(b)", "signatory": "subject"}},
                     [("R7/signatory-not-entitled", "pupils under 15, pupils from 15 to 17")], id="by minors"),
        pytest.param({"legal_basis": {"article": "6(1)(b)", "signatory": "guardian:ac-99:1"}}, [], id="guardian"),
    ],
)  # fmt: skip
def test_a_contract_by_consent_is_noted(contract: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert notes("lecture", contract) == expected


def places(**differences: Any) -> list[dict[str, Any]]:
    whole = policy("gar").model_dump(mode="json", by_alias=True)["places"]
    return [merged(whole[0], differences), *whole[1:]]


@pytest.mark.parametrize(
    ("differences", "expected"),
    [
        pytest.param({"country": "IN"}, ("R18/place-not-adequate", "places[0] (storage, IN, hebergeur-des-sources)"),
                     id="without adequacy"),
        pytest.param({"country": "DE"}, ("R20/storage-abroad", "places[0] (storage, DE, hebergeur-des-sources)"),
                     id="stored abroad"),
        pytest.param({"control_country": "US"}, ("R0/secnumcloud-contradiction",
                     "places[0] (storage, FR, hebergeur-des-sources)"), id="qualified, and controlled abroad"),
        pytest.param({"kind": "processing"}, ("no-storage-place", "places"), id="nothing is stored"),
    ],
)  # fmt: skip
def test_a_place_is_named_with_what_is_wrong_with_it(differences: dict[str, Any], expected: tuple[str, str]) -> None:
    assert expected in notes("gar", places=places(**differences))


def test_a_qualification_that_ends_soon_is_told_by_the_day_from_which_nobody_is_released() -> None:
    ends = places(secnumcloud={"until": "2026-10-01"})

    assert ("R20/no-secnumcloud", "from 2026-10-02") in notes(
        "gar", places=ends[:1], perimeter={"require_secnumcloud": True}
    )


def test_a_provider_that_the_perimeter_does_not_list_is_noted() -> None:
    assert ("R2/provider-not-listed", "everybody") in notes("gar", perimeter={"providers": ["lecture"]})


def test_what_blocks_comes_before_what_is_good_to_know() -> None:
    of = policy("lecture", {"notice": None, "fields": ["given_name", "birth_year", "mef"], "until": "2026-10-01"})

    assert [note.level for note in linted(of)] == ["blocks", "misses", "soon", "needless", "needless", "know"]


def test_needs_are_those_of_the_day() -> None:
    before = linted(policy(), date(2025, 12, 31))
    after = linted(policy(), TODAY)

    assert "purpose-without-needs" in {note.code for note in before}
    assert "purpose-without-needs" not in {note.code for note in after}


def test_fields_of_each_kind_are_those_that_an_export_gives() -> None:
    assert {"level", "divisions", "birth_year"} <= FIELDS_OF["pupil"]
    assert {"teaches_divisions", "functions"} <= FIELDS_OF["teacher"]
    assert "level" not in FIELDS_OF["teacher"]
    assert "school" not in FIELDS_OF["guardian"]
    assert all("email_relay" in fields for fields in FIELDS_OF.values())


def test_every_note_says_what_to_do() -> None:
    assert all(meaning.sentence.endswith(".") and meaning.action.endswith(".") for meaning in NOTES.values())


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        pytest.param("a: [CANARY", NotThisFormat, "purposes.yaml: line 1: not YAML", id="not YAML"),
        pytest.param("a: CANARY", NotThisSchema, "purposes.yaml: purposes.?: tuple_type (1 in all)", id="no list"),
        pytest.param("1: []", NotThisSchema, "purposes.yaml: a key that is not text", id="a number as key"),
    ],
)
def test_a_table_of_needs_that_cannot_be_read_says_where(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    file = tmp_path / "purposes.yaml"
    file.write_text(text, "utf-8")

    with pytest.raises(error) as refused:
        read_needs(file)

    assert str(refused.value) == message


def test_a_table_that_is_not_there_is_said_to_be() -> None:
    with pytest.raises(NotThisFormat, match=r"^purposes\.yaml: cannot be read"):
        read_needs(Path("no/such/purposes.yaml"))


def test_check_gives_each_note_with_its_parts(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    text = (folder / "gar.yaml").read_text("utf-8")
    (folder / "gar.yaml").write_text(text.replace("fields: [given_name,", "fields: [shoe_size, given_name,"), "utf-8")

    code = main(["policy", "check", str(folder), "--json"])
    shown = json.loads(capsys.readouterr().out)["notes"]

    assert code == 0
    assert shown[0] == {
        "code": "field-unknown", "level": "misses", "provider": "gar", "contract": "gar-2026",
        "where": "fields.shoe_size", "sentence": "No person has such a field.",
        "action": "Correct its name, or take it out of the contract.",
    }  # fmt: skip


def test_check_compares_with_the_table_of_needs_in_its_own_folder(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    entry = "[{from: 2020-01-01, until: null, source: ours, live: true, fields: [level]}]"
    (folder / NEEDS_FILE).write_text(f"pedagogical-access: {entry}\n", "utf-8")

    main(["policy", "check", str(folder), "--json"])
    shown = json.loads(capsys.readouterr().out)["notes"]

    assert ("gar", "field-without-need", "fields.given_name") in {
        (note["provider"], note["code"], note["where"]) for note in shown
    }


def test_check_shows_its_notes_by_contract(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    for name in ("lecture", "suite"):
        file = folder / f"{name}.yaml"
        file.write_text(file.read_text("utf-8").replace(", divisions]", "]"), "utf-8")

    code = main(["policy", "check", str(folder)])
    shown = capsys.readouterr().out

    assert code == 0
    assert "suite, contract suite-2026" in shown
    assert "gar, contract" not in shown
