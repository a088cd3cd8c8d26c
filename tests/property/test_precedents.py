import copy
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.filtering.decision import Verdict, decide_under
from services.filtering.likeness import Moment, moment_of, offer_in
from services.filtering.parsing import read_policy
from services.filtering.precedents import Facts, Precedents
from services.filtering.reading import Section
from services.filtering.unknown import UNKNOWN
from tests.property.decision_requests import REQUESTS, mutated
from tests.spec.table import LAW, Row, rows

ROWS = rows()


def moment_in(request: dict[str, Any]) -> Moment | None:
    """The moment of a request, where it is one that a clock may give."""
    now = Section(request, []).instant("now")
    return moment_of(now) if now is not UNKNOWN and 1970 < now.year < 2970 else None


def asked_of(request: dict[str, Any], moment: Moment) -> dict[str, Any] | None:
    """The request as the filter would make it: the same policy and person; null where it could make no such one."""
    subject, fields, consents = (request.get(name) for name in ("subject", "fields", "consents"))
    if not isinstance(subject, dict) or not isinstance(fields, list) or not isinstance(consents, list):
        return None
    if offer_in(fields) is None or type(subject.get("delivered")) is not bool:
        return None
    kept = {name: value for name, value in request.items() if name != "version"}
    return {**kept, "now": moment.text, "objections": []}


def by_precedent(precedents: Precedents, request: dict[str, Any], moment: Moment) -> Verdict:
    offer = offer_in(request["fields"])
    assert offer is not None
    subject = {name: value for name, value in request["subject"].items() if name != "delivered"}
    facts = Facts(subject, offer, request["consents"], (), moment.day)
    return precedents.decide(facts, moment, delivered=request["subject"]["delivered"])


def objections_of(request: dict[str, Any]) -> list[dict[str, Any]]:
    """As the filter keeps them: to which purpose of which provider; nothing where it could keep no such one."""
    kept = request.get("objections") or []
    if not all(isinstance(one, dict) and {"status", "at", "grounds"} <= one.keys() for one in kept):
        return []
    place = {"provider": request["provider"]["id"], "purpose": request["purpose"]}
    others = [
        {"status": "upheld", "at": "2026-09-01T00:00:00Z", "grounds": None, **place, name: "another"} for name in place
    ]
    return [*({**one, **place} for one in kept), *others]


def assert_same(request: dict[str, Any], moment: Moment) -> Precedents:
    """By precedent, first and again, as by the rules: the verdict and all that it says, `now` too."""
    policy = read_policy(request, LAW)
    precedents = Precedents(policy)
    expected = decide_under(policy, request)
    first, again = (by_precedent(precedents, request, moment) for _ in range(2))

    assert first == again == expected
    assert list(first.dropped.items()) == list(expected.dropped.items())
    return precedents


OBJECTED = [row for row in ROWS if row.file == "R15" and objections_of(row.request)]


@pytest.mark.parametrize("row", OBJECTED, ids=lambda row: row.id)
def test_objection_to_this_purpose_at_this_provider_counts_and_no_other(row: Row) -> None:
    request, moment = row.request, moment_in(row.request)
    offer = offer_in(request["fields"])
    assert moment is not None
    assert offer is not None
    subject = {name: value for name, value in request["subject"].items() if name != "delivered"}
    facts = Facts(subject, offer, request["consents"], objections_of(request), moment.day)
    policy = read_policy(request, LAW)
    verdict = Precedents(policy).decide(facts, moment, delivered=request["subject"]["delivered"])

    assert verdict == decide_under(policy, {**request, "now": moment.text})
    assert [reason.rule for reason in verdict.reasons] == [rule for rule, _ in row.reasons]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_row_of_the_decision_table_is_decided_the_same_by_precedent(row: Row) -> None:
    moment = moment_in(row.request)
    request = moment and asked_of(row.request, moment)
    if request and moment:
        assert_same(request, moment)


def test_most_rows_of_the_decision_table_have_a_likeness() -> None:
    asked = [(request, moment) for row in ROWS if (moment := moment_in(row.request))
             and (request := asked_of(row.request, moment))]  # fmt: skip
    alike = [by for request, moment in asked if (by := assert_same(request, moment)).decided < by.asked]

    assert len(asked) > 400
    assert len(alike) > 350


@settings(max_examples=1500, deadline=None)
@given(mutated())
def test_request_that_was_tampered_with_is_decided_the_same_by_precedent(request: dict[str, Any]) -> None:
    moment = moment_in(request)
    asked = moment and asked_of(request, moment)
    if asked and moment:
        assert_same(asked, moment)


NOW = datetime(2026, 9, 15, 6, tzinfo=UTC)
LEAP_DAY = datetime(2028, 2, 29, 12, tzinfo=UTC)
names = st.sampled_from(("g1", "g2", "g3"))
instants = st.integers(-3, 2).map(lambda days: (NOW + timedelta(days=days)).isoformat())
BIRTHDAYS = ("2011-09-15", "2011-09-16", "2011-09-14", "2008-09-15", "2008-09-16", "2012-02-29",
             "2010-02-28", "2010-03-01", "2013-02-28", "2013-03-01", "2026-09-16",
             "2025-01-01", "2024-01-01", "2023-01-01", "x")  # fmt: skip
births = st.none() | st.dates(date(2003, 9, 1), date(2027, 1, 1)).map(str) | st.sampled_from(BIRTHDAYS)
NOTICES, PROOFS = ("n1", "n1", "n1", "n2", None), ("p1", "p2", "p3", None)


@st.composite
def consents(draw: st.DrawFn, request: dict[str, Any]) -> dict[str, Any]:
    of = request["provider"]["id"], request["purpose"]
    provider, purpose = draw(st.sampled_from((of, of, of, ("another", of[1]), (of[0], "another"))))
    return {
        "party": draw(st.sampled_from(("child", "subject")) | names.map(lambda name: f"guardian:{name}")),
        "status": draw(st.sampled_from(("given", "given", "refused", "withdrawn"))),
        "at": draw(instants),
        "until": draw(st.none() | instants),
        "purpose": purpose,
        "provider": provider,
        "notice": draw(st.sampled_from(NOTICES)),
        "proof": draw(st.sampled_from(PROOFS)),
    }


@st.composite
def people(draw: st.DrawFn, base: dict[str, Any]) -> dict[str, Any]:
    """Somebody else, under the policy of a request: whoever and however consenting, at whatever hour."""
    request = copy.deepcopy(base)
    day = draw(st.sampled_from((NOW, NOW, LEAP_DAY)))
    request["now"] = (day + timedelta(hours=draw(st.integers(-30, 30)))).isoformat()
    request["subject"] = {
        "kind": draw(st.sampled_from(("pupil", "pupil", "pupil", "guardian", "teacher", "staff"))),
        "birth_date": draw(births),
        "emancipated": draw(st.sampled_from((False, False, True))),
        "guardians": draw(st.lists(names, max_size=3, unique=True)),
        "restrictions": draw(
            st.lists(st.sampled_from(("no-diffusion", "protected-address", "article-18")), max_size=2)
        ),
        "gone_since": draw(st.sampled_from((None, None, None, "2026-01-01"))),
        "deleted": draw(st.sampled_from((False, False, True))),
        "delivered": draw(st.booleans()),
    }
    request["consents"] = draw(st.lists(consents(request), max_size=6))
    request["objections"] = []
    return request


def is_plain(request: dict[str, Any]) -> bool:
    return not read_policy(request, LAW).problems and isinstance(request.get("fields"), list)


PLAIN = [request for request in REQUESTS if is_plain(request)]
CONSENTING = [request for request in PLAIN if request["legal_basis"]["article"] == "6(1)(a)"]


@st.composite
def grounds(draw: st.DrawFn) -> dict[str, Any]:
    """A policy of the table; where consent is asked, with any of the differences in whom it asks."""
    request: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(CONSENTING) | st.sampled_from(PLAIN)))
    if request["provider"]["contract"] is not None:
        request["provider"]["contract"]["until"] = draw(st.sampled_from((None, "2026-09-14", "2026-09-15")))
    if request["legal_basis"]["article"] == "6(1)(a)":
        request["legal_basis"]["information_society_service"] = draw(st.booleans())
        request["legal_basis"]["usual_act"] = draw(st.booleans())
        request["perimeter"]["consent_age"] = draw(st.sampled_from((15, 15, 3, 0, 20, None)))
        request["perimeter"]["joint_consent_from"] = draw(st.sampled_from((None, 0, 2, 13, 14)))
    return request


@settings(max_examples=2000, deadline=None)
@given(grounds().flatmap(people))
def test_whoever_consents_is_decided_the_same_by_precedent(request: dict[str, Any]) -> None:
    moment = moment_in(request)
    asked = moment and asked_of(request, moment)
    if asked and moment:
        assert_same(asked, moment)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_precedents_of_others_and_of_other_days_alter_no_verdict(data: st.DataObject) -> None:
    """A few people under one policy, again and again at different hours of three days: each as if asked alone."""
    base = data.draw(grounds())
    policy = read_policy(base, LAW)
    precedents = Precedents(policy)
    asked = st.tuples(st.sampled_from(data.draw(st.lists(people(base), min_size=1, max_size=3))), st.integers(-30, 30))
    for person, hours in data.draw(st.lists(asked, min_size=2, max_size=12)):
        now = (NOW + timedelta(hours=hours)).isoformat()
        moment = moment_in({"now": now})
        request = moment and asked_of({**person, "now": now}, moment)
        if request and moment:
            assert by_precedent(precedents, request, moment) == decide_under(policy, request)


def test_precedent_is_of_its_day_and_tells_the_hour_of_who_asks() -> None:
    (row,) = (row for row in ROWS if row.case == "a child and one holder have given")
    request = copy.deepcopy(row.request)
    request["provider"]["contract"]["until"] = "2026-09-15"
    precedents = Precedents(read_policy(request, LAW))
    verdicts = []
    for now in ("2026-09-15T08:00:00Z", "2026-09-15T21:59:59Z", "2026-09-15T22:00:00Z", "2026-09-15T09:00:00Z"):
        moment = moment_of(datetime.fromisoformat(now))
        verdict = by_precedent(precedents, {**request, "now": moment.text}, moment)
        verdicts.append((verdict.verdict, verdict.reasons[0].code, verdict.now))

    assert verdicts == [
        ("release", "joint-consent", "2026-09-15T08:00:00+00:00"),
        ("release", "joint-consent", "2026-09-15T21:59:59+00:00"),
        ("withhold", "contract-over", "2026-09-15T22:00:00+00:00"),
        ("release", "joint-consent", "2026-09-15T09:00:00+00:00"),
    ]
    assert (precedents.asked, precedents.decided) == (4, 3)


def test_policies_of_the_table_are_many() -> None:
    assert len(PLAIN) > 300
    assert len(CONSENTING) > 50
