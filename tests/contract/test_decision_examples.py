import json
from pathlib import Path
from typing import Any

import pytest

from ops.rendering.deciding import DecisionRequest, Verdict
from ops.rendering.examples import SCHEMAS
from services.contract.policies import ProviderPolicy, ambiguities
from services.filtering.decision import decide
from tests.spec.table import LAW

REQUESTS = SCHEMAS / "examples" / "decision-request" / "1"
VERDICTS = SCHEMAS / "examples" / "verdict" / "1"
POLICIES = SCHEMAS / "examples" / "provider-policy" / "1"
CASES = [pytest.param(path, id=path.stem) for path in sorted(REQUESTS.glob("*.json"))]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_each_request_has_its_verdict_and_each_verdict_its_request() -> None:
    assert {path.name for path in REQUESTS.iterdir()} == {path.name for path in VERDICTS.iterdir()}


@pytest.mark.parametrize("path", CASES)
def test_request_is_decided_as_its_verdict_says(path: Path) -> None:
    assert decide(read(path), LAW).to_json() == read(VERDICTS / path.name)


@pytest.mark.parametrize("path", CASES)
def test_request_that_fits_its_schema_is_never_held_for_its_form(path: Path) -> None:
    DecisionRequest.model_validate_json(path.read_bytes())

    assert "R0" not in {reason.rule for reason in decide(read(path), LAW).reasons}


@pytest.mark.parametrize(
    "request_", [pytest.param({}, id="nothing"), pytest.param({"now": 1, "subject": "?"}, id="nonsense")]
)
def test_verdict_on_what_is_no_request_fits_its_schema_too(request_: dict[str, Any]) -> None:
    verdict = Verdict.model_validate_json(json.dumps(decide(request_, LAW).to_json()))

    assert verdict.verdict == "hold"
    assert {reason.rule for reason in verdict.reasons} == {"R0"}


def test_policies_of_the_examples_can_be_in_force_together() -> None:
    read_policies = [ProviderPolicy.model_validate_json(path.read_bytes()) for path in sorted(POLICIES.iterdir())]

    assert ambiguities({policy.provider: policy for policy in read_policies}) == []
