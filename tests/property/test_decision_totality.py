import json
import re
from typing import Any

from hypothesis import given

from services.contract.reasons import REASONS
from services.filtering.decision import Verdict, decide
from tests.property.decision_requests import mutated, objects
from tests.spec.table import LAW


def assert_is_whole(verdict: Verdict) -> None:
    printed = verdict.to_json()

    assert list(printed) == ["verdict", "fields", "dropped", "reasons", "restrict", "policy"]
    assert verdict.verdict in {"release", "hold", "withhold", "erase"}
    assert verdict.reasons
    assert all(reason.rule in REASONS[reason.code].rules for reason in verdict.reasons)
    assert "evaluation-error" not in {reason.code for reason in verdict.reasons}
    assert len({reason.rule for reason in verdict.reasons}) == len(verdict.reasons)
    assert bool(verdict.fields) == (verdict.verdict == "release")
    assert not set(verdict.fields) & set(verdict.dropped)
    assert not verdict.restrict or verdict.verdict == "hold"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", verdict.policy)


@given(objects)
def test_any_json_object_gets_a_verdict(request: dict[str, Any]) -> None:
    assert_is_whole(decide(request, LAW))


@given(mutated())
def test_any_request_that_was_tampered_with_gets_a_verdict(request: dict[str, Any]) -> None:
    assert_is_whole(decide(request, LAW))


@given(mutated())
def test_same_request_gets_the_same_verdict(request: dict[str, Any]) -> None:
    again = json.loads(json.dumps(request))

    assert decide(again, LAW).to_json() == decide(request, LAW).to_json()
