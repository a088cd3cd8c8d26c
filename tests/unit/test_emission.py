from collections.abc import Container, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest

from services.contract.objections import ObjectionDecision
from services.contract.policies import ProviderPolicy, policy_digest
from services.contract.releases import Release, Restriction, Withdrawal
from services.contract.restrictions import RestrictionDecision
from services.filtering.emission import Decisions, decide_pairs
from services.filtering.folding import fold
from services.filtering.particulars import object_to, restrict
from services.filtering.subject import NOBODY, Subject
from services.filtering.terms import Named, Terms, terms_of
from tests.replay.invented import INE, contract_with, delete, joins, objection, patch, policy, restriction

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
NOW_US = 1_789_459_200_000_000
PAIR = "gar/GAR-2026"


def terms(*policies: ProviderPolicy) -> Mapping[str, Terms]:
    return {term.pair: term for each in policies for term in terms_of(each, policy_digest(each))}


def pupil(**attributes: Any) -> Subject:
    return fold(NOBODY, joins(attributes=attributes))[0]


def decide(
    subject: Subject, under: Mapping[str, Terms], seq: int = 0, *,
    approved: Container[str] = (PAIR,), bare: Mapping[str, Named] = MappingProxyType({}), key: str = INE,
) -> Decisions:  # fmt: skip
    decisions = decide_pairs(key, subject, under, NOW, seq, bare=bare, approved=approved)
    assert decisions is not None
    return decisions


def emitted(decisions: Decisions) -> list[Release | Withdrawal | Restriction]:
    """What goes out, read back as strictly as the next stage reads it."""
    models: Mapping[str, type[Release | Withdrawal | Restriction]] = {
        "release": Release, "withdrawal": Withdrawal, "restriction": Restriction,
    }  # fmt: skip
    return [
        models[each.emission.payload].model_validate_json(each.emission.value)
        for each in decisions.decided
        if each.emission
    ]


def test_what_may_be_known_is_released_once() -> None:
    first = decide(pupil(), terms(policy()))
    second = decide(first.subject, terms(policy()), first.seq)
    (release,) = emitted(first)

    assert isinstance(release, Release)
    assert release.fields.keys() == {"given_name", "family_name", "level", "groups", "school"}
    assert emitted(second) == []
    assert [(each.end, each.reason) for each in second.decided] == [("released", "unchanged")]


def test_change_that_no_contract_names_sends_nothing() -> None:
    first = decide(pupil(), terms(policy()))
    moved, _ = fold(first.subject, patch("20260916.1.000000001", divisions=[], mobile_phones=["+33 6 39 98 00 00"]))

    assert emitted(decide(moved, terms(policy()), first.seq)) == []


def test_seq_is_above_the_last_issued_the_pair_s_own_and_the_clock() -> None:
    clock = decide(pupil(), terms(policy()))
    issued = decide(pupil(), terms(policy()), NOW_US + 7)
    pair = clock.subject.pairs[PAIR]._replace(seq=NOW_US + 50, digest="")
    own = decide(clock.subject.told({PAIR: pair}), terms(policy()))

    assert [each.seq for each in (clock, issued, own)] == [NOW_US, NOW_US + 8, NOW_US + 51]
    assert [emitted(each)[0].seq for each in (clock, issued, own)] == [NOW_US, NOW_US + 8, NOW_US + 51]


def test_two_emissions_of_one_input_have_their_own_seq() -> None:
    other = policy(provider="suite", contracts=contract_with(id="SUI-2026"))
    decisions = decide(pupil(), terms(policy(), other))

    assert [each.seq for each in emitted(decisions)] == [NOW_US, NOW_US + 1]
    assert decisions.seq == NOW_US + 1


def test_leaver_is_withdrawn_once_and_under_the_name_of_the_release() -> None:
    first = decide(pupil(), terms(policy()))
    gone, _ = fold(first.subject, delete("20261001.1.000000001"))
    second = decide(gone, terms(policy()), first.seq)
    third = decide(second.subject, terms(policy()), second.seq)
    (withdrawal,) = emitted(second)

    assert isinstance(withdrawal, Withdrawal)
    assert withdrawal.reasons == ("R1/subject-deleted",)
    assert withdrawal.named_by == emitted(first)[0].named_by
    assert emitted(third) == []


def test_person_who_was_never_released_is_not_withdrawn() -> None:
    gone, _ = fold(pupil(), delete("20261001.1.000000001"))
    decisions = decide(gone, terms(policy()))

    assert emitted(decisions) == []
    assert decisions.subject.pairs == {}


def test_pair_keeps_the_identifier_and_the_purpose_family_of_its_first_release() -> None:
    first = decide(pupil(ine=None), terms(policy()), key="aaf-d99:999-1001")
    known, _ = fold(first.subject, patch("20260916.1.000000001", ine=INE, level="4EME"))
    renamed_family = policy(version=5, contracts=contract_with(purpose_family="other"))
    second = decide(known, terms(renamed_family), first.seq)
    gone, _ = fold(second.subject, delete("20261001.1.000000001"))
    third = decide(gone, terms(renamed_family), second.seq)
    names = [(each.named_by.type, each.purpose_family) for of in (first, second, third) for each in emitted(of)]

    assert names == [("local", "pedagogical-access")] * 3


def test_hold_sends_nothing_and_keeps_what_is_there() -> None:
    first = decide(pupil(), terms(policy()))
    unclear, _ = fold(first.subject, patch("20260916.1.000000001", level=None))
    decisions = decide(unclear, terms(policy()), first.seq)

    assert [(each.end, each.reason) for each in decisions.decided] == [("held", "R0/required-field-absent")]
    assert decisions.subject.pairs == first.subject.pairs


def test_identifier_that_is_a_placeholder_is_held_and_stops_nobody() -> None:
    subject, _ = fold(NOBODY, joins(id="0", attributes={"ine": None}))
    decisions = decide(subject, terms(policy()), key="aaf-d99:0")

    assert [(each.end, each.reason) for each in decisions.decided] == [("held", "not-an-identifier")]
    assert decisions.subject.pairs == {}


def test_contract_that_is_gone_from_its_policy_is_erased_once() -> None:
    first = decide(pupil(), terms(policy()))
    other = terms(policy(version=5, contracts=contract_with(id="GAR-2027", purpose="other")))
    second = decide(first.subject, other, first.seq)
    third = decide(second.subject, other, second.seq)

    assert [(type(each), each.contract) for each in emitted(second)] == [
        (Release, "GAR-2027"), (Withdrawal, "GAR-2026"),
    ]  # fmt: skip
    assert emitted(third) == []


def test_last_contract_of_a_provider_is_erased_too() -> None:
    first = decide(pupil(), terms(policy()))
    named = Named("sha256:" + "0" * 64, 5)
    second = decide(first.subject, {}, first.seq, bare={"gar": named})
    third = decide(second.subject, {}, second.seq, bare={"gar": named})
    (withdrawal,) = emitted(second)

    assert isinstance(withdrawal, Withdrawal)
    assert (withdrawal.contract, withdrawal.policy_version, withdrawal.seq) == ("GAR-2026", 5, NOW_US + 1)
    assert emitted(third) == []


def test_provider_whose_policy_is_not_here_is_left_alone() -> None:
    first = decide(pupil(), terms(policy()))

    assert decide(first.subject, {}, first.seq).decided == ()


def test_person_out_of_scope_is_told_by_what_the_contract_leaves_out() -> None:
    decisions = decide(pupil(), terms(policy(contracts=contract_with(kinds=["teacher"]))))

    assert [(each.end, each.reason) for each in decisions.decided] == [("withheld", "R2/kind-not-in-contract")]


def asked(subject: Subject, *steps: RestrictionDecision | ObjectionDecision) -> Subject:
    for step in steps:
        known = subject.particulars
        known, _ = restrict(known, step) if isinstance(step, RestrictionDecision) else object_to(known, step)
        subject = subject.knowing(known)
    return subject


STANDS = restriction("article-18", "standing", "2026-09-14T08:00:00Z")
LIFTED = restriction("article-18", "lifted", "2026-09-15T07:00:00Z")
OPEN = objection("open", "2026-09-14T08:00:00Z")


@pytest.mark.parametrize(
    ("step", "reason"),
    [pytest.param(STANDS, "R22/article-18", id="R22"), pytest.param(OPEN, "R15/objection-open", id="R15")],
)
def test_provider_that_has_her_is_told_once_to_restrict(step: RestrictionDecision, reason: str) -> None:
    first = decide(pupil(), terms(policy()))
    second = decide(asked(first.subject, step), terms(policy()), first.seq)
    third = decide(second.subject, terms(policy()), second.seq)
    (restriction_,) = emitted(second)

    assert isinstance(restriction_, Restriction)
    assert restriction_.reasons == (reason,)
    assert restriction_.named_by == emitted(first)[0].named_by
    assert [(each.end, each.reason) for each in second.decided] == [("held", reason)]
    assert emitted(third) == []


def test_next_release_lifts_the_restriction_though_nothing_else_has_changed() -> None:
    first = decide(pupil(), terms(policy()))
    second = decide(asked(first.subject, STANDS), terms(policy()), first.seq)
    third = decide(asked(second.subject, LIFTED), terms(policy()), second.seq)

    assert [type(each) for each in emitted(third)] == [Release]


@pytest.mark.parametrize("before", ["never released", "erased"])
def test_provider_that_does_not_have_her_is_told_nothing(before: str) -> None:
    subject = pupil()
    if before == "erased":
        gone, _ = fold(decide(subject, terms(policy())).subject, delete("20261001.1.000000001"))
        subject, _ = fold(decide(gone, terms(policy()), NOW_US).subject, joins(version="20261002.0.000000001"))
    decisions = decide(asked(subject, STANDS), terms(policy()), NOW_US + 9)

    assert emitted(decisions) == []
    assert [(each.end, each.reason) for each in decisions.decided] == [("held", "R22/article-18")]


def test_restricted_person_who_leaves_is_withdrawn() -> None:
    first = decide(pupil(), terms(policy()))
    second = decide(asked(first.subject, STANDS), terms(policy()), first.seq)
    gone, _ = fold(second.subject, delete("20261001.1.000000001"))

    assert [type(each) for each in emitted(decide(gone, terms(policy()), second.seq))] == [Withdrawal]


@pytest.mark.parametrize("end", ["the contract goes", "the last contract goes"])
def test_article_18_keeps_what_the_end_of_a_contract_would_erase_until_it_is_lifted(end: str) -> None:
    first = decide(asked(pupil()), terms(policy()))
    other = policy(version=5, contracts=contract_with(id="GAR-2027", purpose="other", schools=[]))
    under = terms(other) if end == "the contract goes" else {}
    bare = {"gar": Named("sha256:" + "0" * 64, 5)} if end == "the last contract goes" else {}
    second = decide(asked(first.subject, STANDS), under, first.seq, bare=bare)
    third = decide(second.subject, under, second.seq, bare=bare)
    fourth = decide(asked(third.subject, LIFTED), under, third.seq, bare=bare)

    assert [(type(each), each.contract) for each in emitted(second)] == [(Restriction, "GAR-2026")]
    assert ("gar/GAR-2026", "held", "R22/article-18") in [(each.pair, each.end, each.reason) for each in third.decided]
    assert emitted(third) == []
    assert [(type(each), each.contract) for each in emitted(fourth)] == [(Withdrawal, "GAR-2026")]


def test_article_18_keeps_nobody_whom_the_directory_deleted() -> None:
    first = decide(pupil(), terms(policy()))
    gone, _ = fold(asked(first.subject, STANDS), delete("20261001.1.000000001"))
    named = Named("sha256:" + "0" * 64, 5)

    assert [type(each) for each in emitted(decide(gone, {}, first.seq, bare={"gar": named}))] == [Withdrawal]
