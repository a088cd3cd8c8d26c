"""Whoever the person, whatever the policy: what is taken away never opens what was closed."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.filtering.decision import decide, decide_under
from services.filtering.parsing import read_policy
from tests.property.decision_requests import mutated
from tests.property.test_precedents import grounds, people
from tests.spec.table import LAW

requests = grounds().flatmap(people)


def every_place(request: dict[str, Any], **facts: Any) -> None:
    for place in request["provider"]["places"]:
        place.update(facts)


def without_adequacy(request: dict[str, Any]) -> None:
    """A place of the United States stays there: R19 asks more of it than R18 of a country without a decision."""
    for place in request["provider"]["places"]:
        if place["country"] != "US":
            place.update(country="IN", scope=[])


def in_contract(request: dict[str, Any], **terms: Any) -> None:
    if request["provider"]["contract"] is not None:
        request["provider"]["contract"].update(terms)


def without_contract(request: dict[str, Any]) -> None:
    request["provider"]["contract"] = None


def without_words(request: dict[str, Any]) -> None:
    request["consents"] = [word for word in request["consents"] if word["status"] != "given"]


def without_half_of_the_words(request: dict[str, Any]) -> None:
    given = [word for word in request["consents"] if word["status"] == "given"]
    gone = given[::2]
    request["consents"] = [word for word in request["consents"] if not any(word is one for one in gone)]


def without_allowed_fields(request: dict[str, Any]) -> None:
    request["perimeter"]["allowed_fields"] = request["perimeter"]["allowed_fields"][1:]


def without_acts(request: dict[str, Any]) -> None:
    request["legal_basis"]["act"] = None


TAKEN: list[tuple[str, Callable[[dict[str, Any]], None]]] = [
    ("the contract", without_contract),
    ("the contract's days", lambda request: in_contract(request, until="2026-01-31")),
    ("the contract's purposes", lambda request: in_contract(request, purposes=[])),
    ("every consent", without_words),
    ("half of the consents", without_half_of_the_words),
    ("the adequacy of every place", without_adequacy),
    ("the scope of every place", lambda request: every_place(request, scope=[])),
    ("the entries in the DPF", lambda request: every_place(request, dpf=None)),
    ("the instruments", lambda request: every_place(request, instrument=None)),
    ("the assessments", lambda request: request["perimeter"].update(allow_article_46=False)),
    ("the acceptance of the DPF", lambda request: request["perimeter"].update(allow_dpf=False)),
    ("the control of every place", lambda request: every_place(request, control_country="US", secnumcloud=None)),
    ("an allowed field", without_allowed_fields),
    ("the act", without_acts),
    ("the register's entry", lambda request: request["legal_basis"].update(register_entry=None)),
    ("the balancing", lambda request: request["legal_basis"].update(balancing=None)),
    ("the signatory", lambda request: request["legal_basis"].update(signatory=None)),
    ("the notice", lambda request: request.update(notice=None)),
]


@pytest.mark.parametrize("take", [pytest.param(take, id=name) for name, take in TAKEN])
@settings(max_examples=120)
@given(request=requests)
def test_what_is_taken_away_never_turns_another_verdict_into_a_release_nor_adds_a_field(
    take: Callable[[dict[str, Any]], None], request: dict[str, Any]
) -> None:
    less = copy.deepcopy(request)
    take(less)
    before, after = decide(request, LAW), decide(less, LAW)

    assert after.verdict != "release" or before.verdict == "release"
    assert set(after.fields) <= set(before.fields)


@given(requests | mutated())
def test_replay_with_the_recorded_moment_gives_the_recorded_verdict(request: dict[str, Any]) -> None:
    recorded = decide(request, LAW)
    assume(recorded.now is not None)
    policy = read_policy(request, LAW)
    replayed = {name: value for name, value in request.items() if name != "now"} | {"now": recorded.now}

    assert decide(replayed, LAW) == recorded
    assert decide_under(policy, replayed) == recorded


@given(requests, st.integers(1, 3))
def test_replay_at_another_moment_records_that_moment(request: dict[str, Any], years: int) -> None:
    later = {**request, "now": f"{2026 + years}-09-15T08:00:00+02:00"}

    assert decide(later, LAW).now == later["now"] != decide(request, LAW).now
