import copy
import hashlib
import json
import re
from typing import Any

import pytest

from services.filtering.decision import decide, decide_under
from services.filtering.parsing import read_policy
from tests.spec.table import LAW, base, differ

POLICY = re.compile(r"sha256:[0-9a-f]{64}")


def test_example_of_the_rules_gives_exactly_their_verdict() -> None:
    printed = decide(base("public task"), LAW).to_json()
    policy = printed.pop("policy")

    assert json.dumps(printed) == (
        '{"verdict": "release", "fields": ["given_name", "level"], "dropped": {}, '
        '"reasons": [{"rule": "R3", "code": "public-task"}], "restrict": false}'
    )
    assert isinstance(policy, str)
    assert POLICY.fullmatch(policy)


def test_keys_are_printed_in_the_order_of_the_rules() -> None:
    printed = decide(base("public task"), LAW).to_json()

    assert list(printed) == ["verdict", "fields", "dropped", "reasons", "restrict", "policy"]


def test_verdict_records_now_as_it_was_given() -> None:
    assert decide(base("public task"), LAW).now == "2026-09-15T08:00:00+02:00"


@pytest.mark.parametrize("now", [None, 7, ["2026-09-15T08:00:00Z"]], ids=["none", "a number", "a list"])
def test_moment_that_is_no_text_is_recorded_as_none(now: object) -> None:
    assert decide(base("public task") | {"now": now}, LAW).now is None


def test_empty_object_is_held() -> None:
    verdict = decide({}, LAW)

    assert verdict.to_json() == {
        "verdict": "hold",
        "fields": [],
        "dropped": {},
        "reasons": [{"rule": "R0", "code": "key-absent"}],
        "restrict": False,
        # Of no policy at all, under this law.
        "policy": "sha256:" + hashlib.sha256(f'{{"register":"{LAW.digest}"}}'.encode()).hexdigest(),
    }


def test_policy_does_not_depend_on_the_order_of_keys() -> None:
    request = base("public task")
    turned = json.loads(json.dumps(request, sort_keys=True))

    assert decide(turned, LAW).policy == decide(request, LAW).policy


@pytest.mark.parametrize(
    "difference",
    [
        "perimeter.id=BE",
        "controller.id=region",
        "provider.places[0].operator=another",
        "purpose=transport",
        "legal_basis.register_entry=R-2",
        "notice=n2",
        "notice absent",
    ],
)
def test_policy_changes_with_each_of_its_parts(difference: str) -> None:
    request = base("public task")

    assert decide(differ(request, difference), LAW).policy != decide(request, LAW).policy


@pytest.mark.parametrize(
    "difference",
    ["now=2026-09-16T08:00:00Z", "subject.kind=teacher", "fields=[]", "consents=[]", "objections=[]", "x=1"],
)
def test_policy_does_not_change_with_the_person_or_the_moment(difference: str) -> None:
    request = base("public task")

    assert decide(differ(request, difference), LAW).policy == decide(request, LAW).policy


def test_policy_of_what_has_no_canonical_form_is_that_of_null() -> None:
    nested: Any = []
    for _ in range(100_000):
        nested = [nested]

    verdict = decide({"perimeter": nested}, LAW)

    assert verdict.verdict == "hold"
    # SHA-256 of the four bytes null
    assert verdict.policy == "sha256:74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b"


def test_policy_with_an_integer_beyond_64_bits_is_told_from_another() -> None:
    one, other = (decide({"perimeter": {"consent_age": 10**30 + n}}, LAW).policy for n in (0, 1))

    assert one != other


def test_policy_that_was_read_once_serves_every_person() -> None:
    request = base("child")
    policy = read_policy(request, LAW)
    person = differ(request, "subject.birth_date=2010-05-03")
    other = differ(request, "consents=[]")

    assert decide_under(policy, person) == decide(person, LAW)
    assert decide_under(policy, other) == decide(other, LAW)


def test_request_is_not_amended() -> None:
    request = base("many fields")
    before = copy.deepcopy(request)
    decide(request, LAW)

    assert request == before


class Broken(dict[str, object]):
    """A mapping that fails when it is asked for the person."""

    def get(self, key: str, default: object = None) -> object:
        if key == "subject":
            raise RuntimeError(key)
        return super().get(key, default)


def test_evaluation_that_fails_is_held() -> None:
    verdict = decide(Broken(base("public task")), LAW)

    assert verdict.to_json()["reasons"] == [{"rule": "R0", "code": "evaluation-error"}]
    assert verdict.verdict == "hold"
    assert verdict.fields == ()
    assert verdict.now == "2026-09-15T08:00:00+02:00"
    assert verdict.restrict is False
    assert verdict.policy == decide(base("public task"), LAW).policy


def test_erasure_that_is_owed_names_policy_and_moment_too() -> None:
    request = differ(base("public task"), "subject.delivered=true; subject.deleted=true")
    verdict = decide(request, LAW)

    assert verdict.verdict == "erase"
    assert (verdict.policy, verdict.now) == (decide(base("public task"), LAW).policy, request["now"])


def test_policy_with_a_great_integer_does_not_depend_on_the_order_of_keys_either() -> None:
    one, other = ({"perimeter": dict(pairs)} for pairs in (
        (("id", "FR"), ("consent_age", 10**30)), (("consent_age", 10**30), ("id", "FR")),
    ))  # fmt: skip

    assert decide(one, LAW).policy == decide(other, LAW).policy
