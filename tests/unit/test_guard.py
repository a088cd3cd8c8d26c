"""What of an erasure is everybody's at once, and what is one person's own."""

from collections.abc import Container, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from services.contract.policies import ProviderPolicy, policy_digest
from services.contract.reasons import REASONS, Reason, ReasonCode, Rule
from services.filtering.decision import Verdict
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold, take
from services.filtering.guard import OF_THE_PERSON, OF_THE_POLICY, falls_on_everybody, said_no
from services.filtering.subject import NOBODY, Subject
from services.filtering.terms import Named, terms_of
from tests.replay.invented import INE, consent, contract_with, delete, example, joins, policy

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
US = example("provider-policy/1/us-support")["places"]


def erase(*reasons: tuple[Rule, ReasonCode]) -> Verdict:
    return Verdict("erase", (), {}, tuple(Reason(*each) for each in reasons), restrict=False, policy="", now=None)


@pytest.mark.parametrize(
    ("verdict", "facts", "waits"),
    [
        pytest.param(erase(("R18", "place-not-adequate")), {}, True, id="a place"),
        pytest.param(erase(("R2", "provider-not-listed"), ("R20", "control-abroad")), {}, True, id="two of the policy"),
        pytest.param(erase(("R3", "no-act")), {}, True, id="no act any more"),
        pytest.param(erase(("R3", "kind-not-covered-by-act")), {}, False, id="her kind"),
        pytest.param(erase(("R13", "consent-expired"), ("R18", "place-not-adequate")), {}, False,
                     id="a consent that ran out, and a place"),
        pytest.param(erase(("R1", "contract-over")), {}, False, id="the contract reached its last day"),
        pytest.param(erase(("R1", "contract-over")), {"ended_by_change": True}, True, id="its last day was moved"),
        pytest.param(erase(("R1", "no-contract")), {}, False, id="she left the schools of the contract"),
        pytest.param(erase(("R1", "no-contract")), {"covers_nobody": True}, True, id="the contract covers nobody"),
        pytest.param(erase(("R1", "subject-deleted")), {"staged": True}, False, id="deleted, though staged"),
        pytest.param(erase(("R1", "consent-withdrawn")), {"staged": True}, False, id="withdrawn, though staged"),
        pytest.param(erase(("R1", "no-contract")), {"staged": True}, True, id="out of scope of a staged policy"),
        pytest.param(erase(("R10", "child-consent-missing")), {"staged": True}, True, id="another ground, staged"),
        pytest.param(erase(("R13", "consent-other-notice"), ("R10", "child-consent-missing")), {}, False,
                     id="another notice, not staged"),
    ],
)  # fmt: skip
def test_erasure(verdict: Verdict, facts: Mapping[str, bool], waits: bool) -> None:  # noqa: FBT001  # a row
    nothing = {"ended_by_change": False, "covers_nobody": False, "staged": False}

    assert falls_on_everybody(verdict, **{**nothing, **facts}) is waits


def test_no_reason_is_both_the_policy_s_and_the_person_s_and_each_can_erase() -> None:
    may_erase = {"R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R10", "R11", "R12", "R13", "R18", "R19", "R20"}

    assert set() == OF_THE_POLICY & OF_THE_PERSON
    assert [code for code in OF_THE_POLICY | OF_THE_PERSON if not may_erase & set(REASONS[code].rules)] == []


@pytest.mark.parametrize(
    ("words", "no"),
    [
        pytest.param([], False, id="nobody spoke"),
        pytest.param([("child", "given", "01")], False, id="a yes"),
        pytest.param([("child", "given", "01"), ("child", "withdrawn", "02")], True, id="taken back"),
        pytest.param([("child", "withdrawn", "01"), ("child", "given", "02")], False, id="given again"),
        pytest.param([("child", "given", "02"), ("child", "withdrawn", "01")], False, id="in another order"),
        pytest.param([("child", "given", "01"), ("child", "refused", "01")], True, id="a tie"),
        pytest.param([("child", "given", "02"), ("guardian:g", "refused", "01")], True, id="another's no"),
    ],
)
def test_last_word(words: list[tuple[str, str, str]], no: bool) -> None:  # noqa: FBT001  # a row
    records = [
        {"party": party, "status": status, "at": f"2026-09-{day}T00:00:00Z", "provider": "lecture"}
        for party, status, day in words
    ]

    assert said_no(records, "lecture") is no
    assert said_no(records, "gar") is False


def end(subject: Subject, under: ProviderPolicy, *, approved: Container[str] = ()) -> str:
    """How the one pair ends, and whether something goes out."""
    terms = {term.pair: term for term in terms_of(under, policy_digest(under))}
    bare = {} if under.contracts else {under.provider: Named(policy_digest(under), under.version)}
    decisions = decide_pairs(INE, subject, terms, NOW, 0, bare=bare, approved=approved)
    assert decisions is not None
    (decided,) = decisions.decided
    return f"{decided.end} {decided.reason}{' sent' if decided.emission else ''}"


def known(under: ProviderPolicy, *consents: tuple[str, str, str]) -> Subject:
    """A pupil who was released under a policy, and what was said since."""
    subject = fold(NOBODY, joins())[0]
    for party in ("child", "guardian:aaf-d99:999-2001"):
        subject = take(subject, consent(party, "given", "2026-09-04T17:12:08+02:00"))[0]
    terms = {term.pair: term for term in terms_of(under, policy_digest(under))}
    decisions = decide_pairs(INE, subject, terms, NOW, 0)
    assert decisions is not None
    subject = decisions.subject
    for said in consents:
        subject = take(subject, consent(*said))[0]
    return subject


SERVICE = "consent-service"
LATER = "2026-09-10T00:00:00Z"
NO = ("child", "withdrawn", LATER)
YESTERDAY = {"until": "2026-09-14"}


def service(**differences: Any) -> ProviderPolicy:
    return policy(SERVICE, **{"version": 9, "in_force_from": "2026-09-15", **differences})


@pytest.mark.parametrize(
    ("under", "said", "expected"),
    [
        pytest.param(service(places=US), (), "held deletion-guard", id="a place, and nothing said"),
        pytest.param(service(places=US), (NO,), "erased R1/consent-withdrawn sent", id="a place, and she withdrew"),
        pytest.param(service(contracts=contract_with(SERVICE, **YESTERDAY)), (), "held deletion-guard",
                     id="ended by the change"),
        pytest.param(service(contracts=contract_with(SERVICE, **YESTERDAY)), (NO,), "erased R1/contract-over sent",
                     id="ended by the change, and she withdrew"),
        pytest.param(service(contracts=contract_with(SERVICE, **YESTERDAY), in_force_from="2026-09-14"), (),
                     "erased R1/contract-over sent", id="ended on its own day"),
        pytest.param(service(contracts=contract_with(SERVICE, **YESTERDAY), in_force_from=None), (),
                     "held deletion-guard", id="ended, and nobody knows since when"),
        pytest.param(service(contracts=[]), (), "held deletion-guard", id="no contract any more"),
        pytest.param(service(contracts=[]), (NO,), "erased R1/no-contract sent", id="no contract, and she withdrew"),
        pytest.param(service(contracts=contract_with(SERVICE, kinds=[])), (), "held deletion-guard",
                     id="a contract for nobody"),
        pytest.param(service(contracts=contract_with(SERVICE, kinds=["teacher"])), (),
                     "erased R1/kind-not-in-contract sent", id="a contract for others"),
        pytest.param(service(contracts=contract_with(SERVICE, kinds=["teacher"]), staged=True), (),
                     "held deletion-guard", id="a contract for others, staged"),
        pytest.param(service(contracts=contract_with(SERVICE, kinds=["teacher"]), staged=True), (NO,),
                     "erased R1/kind-not-in-contract sent", id="a contract for others, staged, and she withdrew"),
    ],
)  # fmt: skip
def test_pair_that_a_change_takes_from_everybody(
    under: ProviderPolicy, said: tuple[tuple[str, str, str], ...], expected: str
) -> None:
    assert end(known(policy(SERVICE), *said), under) == expected


LEC = "lecture/LEC-2026"


def test_what_is_held_goes_once_it_is_approved() -> None:
    assert end(known(policy(SERVICE)), service(places=US), approved=[LEC]) == "erased R19/dpf-not-allowed sent"
    assert end(known(policy(SERVICE)), service(contracts=[]), approved=[LEC]) == "erased R1/no-contract sent"


def test_an_approval_of_another_contract_lets_nothing_go() -> None:
    assert end(known(policy(SERVICE)), service(places=US), approved=["lecture/LEC-2027"]) == "held deletion-guard"
    assert end(known(policy(SERVICE)), service(contracts=[]), approved=["gar/GAR-2026"]) == "held deletion-guard"


def test_deleted_pupil_is_erased_whatever_became_of_the_contract() -> None:
    gone, _ = fold(known(policy(SERVICE)), delete("20261001.1.000000001"))

    assert end(gone, service(contracts=[])) == "erased R1/no-contract sent"
    assert end(gone, service(places=US)) == "erased R1/subject-deleted sent"


def test_nothing_new_is_released_meanwhile() -> None:
    assert end(fold(NOBODY, joins())[0], policy(version=9, places=US)).startswith("withheld ")
