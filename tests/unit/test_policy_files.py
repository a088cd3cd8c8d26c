import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ops.cli import main
from ops.policy_files import POLICIES_FOLDER, Step, plan, read_policies
from ops.policy_yaml import parse_yaml
from services.contract.errors import AmbiguousPolicy, NotThisFormat, NotThisSchema
from services.contract.policies import ProviderPolicy, policy_digest
from services.filtering.decision import decide
from tests.spec.table import LAW
from tests.unit.edited import edit


def test_the_policies_of_the_project_are_sound() -> None:
    assert list(read_policies(POLICIES_FOLDER)) == ["gar", "lecture", "suite"]


def test_every_policy_carries_the_one_perimeter() -> None:
    policies = read_policies(POLICIES_FOLDER)

    assert {(policy.perimeter.id, policy.controller.id) for policy in policies.values()} == {("FR", "men")}


def test_norway_is_a_country_and_not_false() -> None:
    actual = parse_yaml("{country: NO, day: 2026-01-01, on: yes, open: true, age: 15, none: null, empty: }")

    assert actual == {
        "country": "NO", "day": "2026-01-01", "on": "yes", "open": True, "age": 15, "none": None, "empty": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a: 1\nb: 2\na: 3", "line 1: a key twice", id="a key twice"),
        pytest.param("a: &x 1\nb: *x", "line 1: an alias, an anchor or a tag", id="an alias"),
        pytest.param("a: !!python/object:os.system CANARY", "line 1: an alias, an anchor or a tag", id="a tag"),
        pytest.param("a: 1\nb: [CANARY", "line 2: not YAML", id="a bracket left open"),
        pytest.param("? [CANARY]\n: 1", "line 1: not YAML", id="a key that is a list"),
        pytest.param("[" * 5000, "not YAML", id="very deep"),
        pytest.param("a: 1\n---\nb: 2", "line 2: not YAML", id="two documents"),
    ],
)
def test_yaml_that_reads_two_ways_is_refused(text: str, message: str) -> None:
    with pytest.raises(NotThisFormat) as refused:
        parse_yaml(text)

    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("file", "edited", "error", "message"),
    [
        pytest.param(
            "gar.yaml", ("required: [school]", "required: [birth_year]"), AmbiguousPolicy,
            "gar: contract gar-2026: a required field that it does not list", id="required and not listed",
        ),
        pytest.param(
            "gar.yaml", ("provider: gar", "provider: other"), AmbiguousPolicy, "gar: names another provider",
            id="another provider's file",
        ),
        pytest.param(
            "gar.yaml", ("role: processor", "role: CANARY"), NotThisSchema, "gar.yaml: role: literal_error (1 in all)",
            id="a role that is none",
        ),
        pytest.param(
            "gar.yaml", ("role: processor", "role: processor\nCANARY: 1"), NotThisSchema,
            "gar.yaml: ?: extra_forbidden (1 in all)", id="an undeclared key",
        ),
        pytest.param(
            "gar.yaml", ("role: processor", "role: processor\nversion: 9"), NotThisSchema,
            "gar.yaml: version is not for a provider's file to say", id="a version by hand",
        ),
        pytest.param(
            "gar.yaml", ("role: processor", "role: processor\n1: x"), NotThisSchema, "gar.yaml: a key that is not text",
            id="a number as key",
        ),
        pytest.param(
            "perimeter.yaml", ("controller:", "gar: 1\ncontroller:"), NotThisSchema,
            "perimeter.yaml: it holds `perimeter` and `controller`, and nothing else", id="more than a perimeter",
        ),
        pytest.param(
            "suite.yaml", ("provider: suite", "provider: [CANARY"), NotThisFormat, "suite.yaml: line 4: not YAML",
            id="no YAML",
        ),
    ],
)  # fmt: skip
def test_one_error_refuses_the_whole_set(
    folder: Path, file: str, edited: tuple[str, str], error: type[Exception], message: str
) -> None:
    edit(folder / file, *edited)

    with pytest.raises(error) as refused:
        read_policies(folder)

    assert str(refused.value) == message


def test_a_folder_without_a_perimeter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotThisFormat) as refused:
        read_policies(tmp_path)

    assert str(refused.value) == "perimeter.yaml: no such file in the folder"


def policy(provider: str = "gar", version: int = 1, **changed: Any) -> ProviderPolicy:
    return read_policies(POLICIES_FOLDER)[provider].model_copy(update={"version": version, **changed})


DAY = date(2026, 9, 15)


def states(steps: list[Step]) -> list[tuple[str, int, str]]:
    return [(step.policy.provider, step.policy.version, step.state) for step in steps]


@pytest.mark.parametrize(
    ("wanted", "in_force", "expected"),
    [
        pytest.param({"gar": policy()}, {}, [("gar", 1, "new")], id="new"),
        pytest.param({"gar": policy()}, {"gar": policy(version=4)}, [("gar", 4, "unchanged")], id="the same again"),
        pytest.param(
            {"gar": policy()}, {"gar": policy(version=4, name="Autre")}, [("gar", 5, "changed")], id="changed"
        ),
        pytest.param(
            {"gar": policy()}, {"suite": policy("suite", 2)}, [("gar", 1, "new"), ("suite", 2, "left")], id="left"
        ),
    ],
)
def test_a_version_grows_only_with_its_content(
    wanted: dict[str, ProviderPolicy], in_force: dict[str, ProviderPolicy], expected: list[tuple[str, int, str]]
) -> None:
    steps = plan(wanted, in_force, DAY)

    assert states(steps) == expected
    assert [step.digest for step in steps] == [policy_digest(step.policy) for step in steps]


def test_a_policy_says_since_when_it_is_in_force() -> None:
    earlier = policy(version=4, in_force_from=date(2026, 1, 1))
    wanted = {"gar": policy(name="Autre"), "lecture": policy("lecture"), "suite": policy("suite")}

    steps = plan(wanted, {"gar": earlier, "lecture": policy("lecture", in_force_from=date(2026, 1, 1))}, DAY)

    assert {step.policy.provider: step.policy.in_force_from for step in steps} == {
        "gar": DAY, "lecture": date(2026, 1, 1), "suite": DAY,
    }  # fmt: skip


def test_a_policy_that_stays_may_not_have_another_perimeter() -> None:
    left = policy("suite")
    left = left.model_copy(update={"perimeter": left.perimeter.model_copy(update={"consent_age": 16})})

    with pytest.raises(AmbiguousPolicy) as refused:
        plan({"gar": policy()}, {"suite": left}, DAY)

    assert str(refused.value) == "the policies do not share one perimeter"


CONSENTS = [
    {"party": party, "status": "given", "at": "2026-09-01T00:00:00Z", "until": None, "purpose": purpose,
     "provider": provider, "notice": "n1", "proof": "p1"}
    for party in ("child", "guardian:ac-99:8810001")
    for provider, purpose in (("lecture", "reading-practice"), ("suite", "collaboration"))
]  # fmt: skip
PUPIL = {
    "kind": "pupil", "birth_date": "2014-05-03", "emancipated": False, "guardians": ["ac-99:8810001"],
    "restrictions": [], "gone_since": None, "deleted": False, "delivered": False,
}  # fmt: skip
FIELDS = [
    {"name": "given_name", "category": "identity"}, {"name": "family_name", "category": "identity"},
    {"name": "level", "category": "schooling"}, {"name": "school", "category": "schooling"},
]  # fmt: skip


def request(policy: ProviderPolicy, consents: list[dict[str, Any]]) -> dict[str, Any]:
    """The decision request of design/rules.md, of one pupil under a provider's only contract."""
    whole = policy.model_dump(mode="json", by_alias=True)
    (contract,) = whole["contracts"]
    purpose = contract["purpose"]
    return {
        "now": "2026-09-15T08:00:00Z",
        "perimeter": {name: value for name, value in whole["perimeter"].items() if value is not None},
        "controller": whole["controller"],
        "provider": {
            "id": policy.provider, "role": policy.role, "places": whole["places"],
            "contract": {
                "id": contract["id"], "from": contract["from"], "until": contract["until"], "purposes": [purpose],
                "fields": {purpose: contract["fields"]}, "required": {purpose: contract["required"]},
            },
        },
        "purpose": purpose, "legal_basis": contract["legal_basis"], "notice": contract["notice"],
        "subject": PUPIL, "fields": FIELDS, "consents": consents, "objections": [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "consents", "verdict", "rules"),
    [
        pytest.param("gar", [], "release", ["R3"], id="a public task asks no consent"),
        pytest.param("lecture", [], "withhold", ["R10"], id="nothing without consent"),
        pytest.param("lecture", CONSENTS, "release", ["R10"], id="child and holder agree"),
        pytest.param("suite", CONSENTS, "withhold", ["R19", "R20"], id="in the United States whatever they agree"),
    ],
)
def test_what_the_three_providers_of_the_project_may_know(
    provider: str, consents: list[dict[str, Any]], verdict: str, rules: list[str]
) -> None:
    actual = decide(request(policy(provider), consents), LAW)

    assert (actual.verdict, [reason.rule for reason in actual.reasons]) == (verdict, rules)


def test_check_prints_every_policy_and_exits_0(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code = main(["policy", "check", str(folder), "--json"])

    shown = json.loads(capsys.readouterr().out)

    assert code == 0
    assert [row["provider"] for row in shown["policies"]] == ["gar", "lecture", "suite"]
    assert {note["code"] for note in shown["notes"] if note["provider"] == "gar"} == {"groups-at-two-providers"}


def test_check_refuses_an_ambiguous_set_with_65(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    edit(folder / "gar.yaml", "required: [school]", "required: [birth_year]")

    code = main(["policy", "check", str(folder)])
    said = capsys.readouterr()

    assert (code, said.out) == (65, "")
    assert said.err == "sanctuaire: gar: contract gar-2026: a required field that it does not list\n"
