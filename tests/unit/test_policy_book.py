"""What a process has in force, and whether an operator has approved what it erases at once."""

from datetime import UTC, datetime
from typing import Literal

import pytest

from services.contract.acts import APPROVAL_KEY, Approval
from services.runtime.policies import PolicyBook
from tests.replay.invented import bytes_of, policy
from tests.unit.stage_runs import book

GAR = "gar/GAR-2026"
OF_GAR = frozenset({GAR})
NOTHING: frozenset[str] = frozenset()
Verdict = Literal["approved", "refused"]


def judge(policies: PolicyBook, verdict: Verdict = "approved", change_set: str | None = None) -> None:
    named = change_set or policies.token().decode()
    at = datetime(2026, 9, 15, tzinfo=UTC)
    approval = Approval(change_set=named, contracts=(GAR,), verdict=verdict, by="x", at=at)
    policies.apply(APPROVAL_KEY, approval.model_dump_json().encode())


def test_nothing_is_approved_before_somebody_has() -> None:
    assert book(policy()).approved == NOTHING


@pytest.mark.parametrize(("verdict", "approved"), [("approved", OF_GAR), ("refused", NOTHING)])
def test_the_last_word_of_an_operator_counts(verdict: Verdict, approved: frozenset[str]) -> None:
    policies = book(policy())
    judge(policies)
    judge(policies, verdict)

    assert policies.approved == approved


def test_an_approval_speaks_of_exactly_its_set() -> None:
    policies = book(policy())
    judge(policies)
    policies.apply(b"gar", bytes_of(policy(version=5, role="controller")))
    changed = policies.approved
    policies.apply(b"gar", bytes_of(policy(version=6)))

    assert (changed, policies.approved) == (NOTHING, OF_GAR)


def test_another_version_of_the_same_content_is_the_same_set() -> None:
    policies = book(policy())
    judge(policies)
    policies.apply(b"gar", bytes_of(policy(version=9, in_force_from="2026-09-15", staged=False)))

    assert policies.approved == OF_GAR
    assert policies.versions() == {"gar": 9}


def test_an_approval_may_come_before_its_set() -> None:
    named = book(policy()).token().decode()
    policies = book()
    judge(policies, change_set=named)
    before = policies.approved
    policies.apply(b"gar", bytes_of(policy()))

    assert (before, policies.approved) == (NOTHING, OF_GAR)


@pytest.mark.parametrize("value", [b"", b"{}", b'{"change_set":"*","verdict":"approved"}'])
def test_what_is_no_approval_leaves_the_last_one(value: bytes) -> None:
    policies = book(policy())
    judge(policies)
    policies.apply(APPROVAL_KEY, value)

    assert policies.approved == OF_GAR


def test_an_approval_can_be_taken_back() -> None:
    policies = book(policy())
    judge(policies)
    policies.apply(APPROVAL_KEY, None)

    assert policies.approved == NOTHING
    assert policies.versions() == {"gar": 4}
