"""What a person is owed of what a provider has, while that is neither released anew nor erased."""

from datetime import UTC, datetime

import pytest

from services.contract.policies import ProviderPolicy, policy_digest
from services.filtering.emission import Decisions, decide_pairs
from services.filtering.folding import fold
from services.filtering.particulars import object_to, restrict
from services.filtering.subject import NOBODY, Subject
from services.filtering.terms import Named, terms_of
from tests.replay.invented import INE, contract_with, example, joins, objection, patch, policy, restriction

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
AT = "2026-09-10T00:00:00Z"
MOVED = policy(version=9, places=example("provider-policy/1/us-support")["places"])
ENDED = policy(version=9, contracts=[])
NARROWED = policy(
    version=9, perimeter={"allowed_fields": ["given_name"]}, contracts=contract_with(required=["given_name", "level"])
)


def decide(subject: Subject, under: ProviderPolicy, seq: int = 0) -> Decisions:
    terms = {term.pair: term for term in terms_of(under, policy_digest(under))}
    bare = {} if under.contracts else {under.provider: Named(policy_digest(under), under.version)}
    decisions = decide_pairs(INE, subject, terms, NOW, seq, bare=bare)
    assert decisions is not None
    return decisions


def ends(decisions: Decisions) -> list[tuple[str, str, str | None]]:
    return [(each.end, each.reason, each.emission and each.emission.payload) for each in decisions.decided]


RELEASED = decide(fold(NOBODY, joins())[0], policy()).subject


def restricted(subject: Subject, kind: str = "article-18") -> Subject:
    return subject.knowing(restrict(subject.particulars, restriction(kind, "standing", AT))[0])


def objecting(subject: Subject, status: str, **differences: str) -> Subject:
    made = objection(status, AT, provider="gar", purpose="pedagogical-access", **differences)
    return subject.knowing(object_to(subject.particulars, made)[0])


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(restricted(RELEASED), id="article 18"),
        pytest.param(restricted(RELEASED, "court-order"), id="a court order"),
        pytest.param(objecting(RELEASED, "open"), id="an objection"),
    ],
)
def test_while_an_erasure_waits_for_an_operator_the_provider_restricts_once(subject: Subject) -> None:
    first = decide(subject, MOVED)
    second = decide(first.subject, MOVED, first.seq)

    assert ends(first) == [("held", "deletion-guard", "restriction")]
    assert ends(second) == [("held", "deletion-guard", None)]


def test_while_an_erasure_waits_nobody_else_is_restricted() -> None:
    assert ends(decide(RELEASED, MOVED)) == [("held", "deletion-guard", None)]


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(restricted(RELEASED), id="article 18"),
        pytest.param(objecting(RELEASED, "open"), id="an objection"),
    ],
)
def test_what_may_not_be_released_and_stays_at_the_provider_is_restricted_once(subject: Subject) -> None:
    first = decide(subject, NARROWED)
    second = decide(first.subject, NARROWED, first.seq)

    assert ends(first) == [("withheld", "R17/required-field-dropped", "restriction")]
    assert ends(second) == [("withheld", "R17/required-field-dropped", None)]


def test_who_was_never_released_is_not_restricted() -> None:
    nobody_s = fold(NOBODY, joins())[0]

    assert ends(decide(restricted(nobody_s), NARROWED)) == [("withheld", "R17/required-field-dropped", None)]
    assert ends(decide(RELEASED, NARROWED)) == [("withheld", "R17/required-field-dropped", None)]


@pytest.mark.parametrize(
    ("subject", "end"),
    [
        pytest.param(objecting(RELEASED, "upheld"), "erased R1/no-contract", id="an objection was upheld"),
        pytest.param(objecting(RELEASED, "open"), "held deletion-guard", id="an objection is open"),
        pytest.param(fold(RELEASED, patch("20260916.1.000000001", gone_since="2026-06-15"))[0],
                     "erased R1/no-contract", id="she left three months ago"),
        pytest.param(fold(RELEASED, patch("20260916.1.000000001", gone_since="2026-06-16"))[0],
                     "held deletion-guard", id="she left a day later"),
    ],
)  # fmt: skip
def test_erasure_that_is_owed_to_the_person_waits_for_nobody_though_the_contract_is_gone(
    subject: Subject, end: str
) -> None:
    (decided,) = decide(subject, ENDED).decided

    assert f"{decided.end} {decided.reason}" == end


def test_objection_to_another_provider_hurries_nothing() -> None:
    made = objection("upheld", AT, provider="lecture", purpose="pedagogical-access")
    subject = RELEASED.knowing(object_to(RELEASED.particulars, made)[0])

    assert ends(decide(subject, ENDED)) == [("held", "deletion-guard", None)]
