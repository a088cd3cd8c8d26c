"""What many are ruled on together is what the rules say of each alone, contract by contract."""

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contract.changes import Change
from services.contract.policies import ProviderPolicy, policy_digest
from services.filtering.case import out_of_scope, person_of
from services.filtering.decision import decide
from services.filtering.docket import ENDS, MAX_SHEETS, Docket
from services.filtering.emission import Decisions, decide_pairs
from services.filtering.folding import fold, take
from services.filtering.likeness import moment_of
from services.filtering.subject import NOBODY, Subject
from services.filtering.terms import Terms, policy_request, terms_of
from tests.property.histories import Fact
from tests.replay.invented import INE, consent, contract_with, delete, joins, policy

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
READING = "consent-service"


def on_consent(provider: str, **differences: Any) -> ProviderPolicy:
    return policy(READING, provider=provider, contracts=contract_with(READING, **differences))


def signed(by: str) -> dict[str, Any]:
    return {"article": "6(1)(b)", "act": None, "signatory": by}


POLICIES = [
    policy(),
    policy(provider="brief", contracts=contract_with(id="B-1", until="2026-09-15", fields=["level"], required=[])),
    policy(provider="elsewhere", contracts=contract_with(id="E-1", schools=["0750001A"])),
    policy(provider="teachers", contracts=contract_with(id="T-1", kinds=["teacher"])),
    policy(provider="nowhere", contracts=contract_with(id="N-1"), places=[]),
    policy(provider="mother", contracts=contract_with(id="M-1", legal_basis=signed("guardian:aaf-d99:999-2001"))),
    policy(provider="herself", contracts=contract_with(id="H-1", legal_basis=signed("subject"))),
    on_consent("lecture"),
    on_consent("offline", id="O-1", legal_basis={"information_society_service": False}),
    policy(READING, provider="unusual", perimeter={"joint_consent_from": 14},
           contracts=contract_with(READING, id="U-1", legal_basis={"usual_act": False})),
]  # fmt: skip
"""Ten: each ground, a day on which a contract ends, and each reason for which a contract is of no concern."""


def prepared() -> dict[str, Terms]:
    return {term.pair: term for each in POLICIES for term in terms_of(each, policy_digest(each))}


TERMS = prepared()


def by_the_rules(subject: Subject, term: Terms, now: datetime) -> tuple[str, str, dict[str, Any]]:
    """End, reason and fields, from the whole request of this one person under this one contract."""
    person = person_of(INE, subject, moment_of(now))
    assert person is not None
    scope = out_of_scope(term, person)
    policy_part = policy_request(term.policy, term.contract)
    if scope:
        policy_part["provider"]["contract"] = None
    usual, all_holders = person.facts(now.date())
    facts = usual if term.usual else all_holders
    verdict = decide(
        policy_part | facts.request(now.isoformat(), (), delivered=term.pair in subject.pairs), term.policy.register_
    )
    first = verdict.reasons[0]
    code = scope if scope and first.code == "no-contract" else first.code
    fields = {name: person.values[name] for name in verdict.fields}
    return ENDS[verdict.verdict], f"{first.rule}/{code}", fields


class Known:
    """What each provider has of one person, as far as what went out tells."""

    def __init__(self) -> None:
        self.has: dict[str, bytes | None] = {}

    def expected(self, subject: Subject, now: datetime) -> list[tuple[str, str, str, bool]]:
        """Pair, end, reason, and whether something goes out."""
        return [(pair, *self._one(subject, pair, term, now)) for pair, term in TERMS.items()]

    def _one(self, subject: Subject, pair: str, term: Terms, now: datetime) -> tuple[str, str, bool]:
        end, reason, fields = by_the_rules(subject, term, now)
        has, seen = self.has.get(pair), None if end == "erased" else orjson.dumps(fields, option=orjson.OPT_SORT_KEYS)
        if end not in {"released", "erased"} or (pair in self.has and has == seen):
            return end, reason if end not in {"released", "erased"} else "unchanged", False
        self.has[pair] = seen
        return end, reason, True


def actual(decisions: Decisions) -> list[tuple[str, str, str, bool]]:
    return [(each.pair, each.end, each.reason, each.emission is not None) for each in decisions.decided]


FIRST, SECOND = ({"id": f"999-200{n}", "legal": "1"} for n in (1, 2))
images = st.builds(
    lambda school, guardians, born: joins(attributes={"school": school, "guardians": guardians, "birth_date": born}),
    st.sampled_from(("0999001W", "0999001W", "0750001A")),
    st.sampled_from(([FIRST, SECOND], [FIRST, SECOND], [FIRST], [])),
    st.sampled_from(("2013-05-03", "2013-05-03", "2011-09-16", None)),
)
WORDS = [
    consent(party, status, f"2026-09-{day:02d}T10:00:00Z", **about)
    for party, status, day, about in (
        ("child", "given", 1, {}), ("guardian:aaf-d99:999-2001", "given", 2, {}), ("child", "withdrawn", 14, {}),
        ("guardian:aaf-d99:999-2002", "refused", 3, {}), ("child", "given", 4, {"until": "2026-09-15T00:00:00Z"}),
        ("child", "given", 1, {"provider": "offline"}), ("child", "given", 15, {}),
        ("guardian:aaf-d99:999-2001", "given", 1, {"provider": "offline"}),
    )
]  # fmt: skip
lives = st.tuples(images, st.lists(st.sampled_from(WORDS), max_size=6, unique_by=str), st.booleans()).map(
    lambda drawn: [*drawn[1][:1], drawn[0], *drawn[1][1:], *([delete("20261001.1.000000001")] if drawn[2] else [])]
)
"""Few kinds of people, so that many are alike: what some of them say, and what none of them says."""
hours = st.lists(st.integers(-40, 40), min_size=12, max_size=24)


@settings(max_examples=200)
@given(st.lists(lives, min_size=4, max_size=4), hours)
def test_four_people_over_some_days_are_ruled_on_as_the_rules_would_each_alone(
    lives: list[list[Fact]], hours: list[int]
) -> None:
    """One docket for all of it; in turn, the next fact about each of them, at some hour of four days."""
    docket, seq = Docket(TERMS), 0
    people: list[Subject] = [NOBODY] * 4
    known = [Known() for _ in people]
    for turn, hour in enumerate(hours):
        who, now = turn % 4, NOW + timedelta(hours=hour)
        subject = people[who]
        if lives[who]:
            fact = lives[who].pop(0)
            subject, _ = fold(subject, fact) if isinstance(fact, Change) else take(subject, fact)
        expected = known[who].expected(subject, now) if person_of(INE, subject, moment_of(now)) else None
        decisions = decide_pairs(INE, subject, docket, now, seq, approved=TERMS)
        people[who] = decisions.subject if decisions else subject

        assert (actual(decisions) if decisions else None) == expected
        seq = decisions.seq if decisions else seq


def test_who_agrees_again_is_released_again_and_sent_nothing_twice() -> None:
    docket, seq, subject, known, sent = Docket(TERMS), 0, NOBODY, Known(), []
    given, holder, withdrawn, again = (WORDS[number] for number in (0, 1, 2, 6))
    for fact in (given, holder, joins(), withdrawn, again):
        subject, _ = fold(subject, fact) if isinstance(fact, Change) else take(subject, fact)
        for now in (NOW + timedelta(hours=3), NOW + timedelta(hours=4)):
            expected = known.expected(subject, now) if person_of(INE, subject, moment_of(now)) else None
            decisions = decide_pairs(INE, subject, docket, now, seq, approved=TERMS)

            assert (actual(decisions) if decisions else None) == expected
            if decisions:
                subject, seq = decisions.subject, decisions.seq
                sent += [each.reason for each in decisions.decided if each.emission and each.pair == "lecture/LEC-2026"]

    assert sent == ["R10/joint-consent", "R1/consent-withdrawn", "R10/joint-consent"]


def test_contracts_of_the_example_end_in_every_way() -> None:
    subject, _ = fold(NOBODY, joins())
    ends = {pair: by_the_rules(subject, term, NOW)[1] for pair, term in TERMS.items()}

    assert ends == {
        "gar/GAR-2026": "R3/public-task", "brief/B-1": "R3/public-task", "elsewhere/E-1": "R2/school-not-subscribed",
        "teachers/T-1": "R2/kind-not-in-contract", "nowhere/N-1": "R0/no-place", "mother/M-1": "R7/contract-signed",
        "herself/H-1": "R7/signatory-not-entitled", "lecture/LEC-2026": "R10/child-consent-missing",
        "offline/O-1": "R10/child-consent-missing", "unusual/U-1": "R10/holders-not-unanimous",
    }  # fmt: skip


def test_people_who_are_alike_are_ruled_on_once() -> None:
    docket, seq = Docket(prepared()), 0
    for number in range(40):
        subject, _ = fold(NOBODY, joins(id=f"p-{number}", attributes={"given_name": f"Maïa {number}", "ine": None}))
        decisions = decide_pairs(f"aaf-d99:p-{number}", subject, docket, NOW + timedelta(minutes=number), seq)
        assert decisions is not None
        seq = decisions.seq
    asked = {pair: term.under.asked + term.without_contract.asked for pair, term in docket.items()}

    # A signatory by name is looked for among each one's own guardians; a policy that lacks something has no precedent.
    assert {pair: count for pair, count in asked.items() if count != 1} == {"mother/M-1": 40, "nowhere/N-1": 40}


def test_docket_forgets_rather_than_grow_without_end() -> None:
    docket = Docket(TERMS)
    day, sizes = moment_of(NOW).day, []
    subject, _ = fold(NOBODY, joins())
    person = person_of(INE, subject, moment_of(NOW))
    assert person is not None
    usual, _ = person.facts(day)
    for number in range(MAX_SHEETS + 10):
        docket.sheet(usual, usual, (None,) * number, day)
        sizes.append(len(docket._sheets))

    assert max(sizes) == MAX_SHEETS
    assert sizes[-1] == 10
