"""A decision line by line: what each rule was asked and answered, those that had nothing against it included.

The rules themselves are asked again; nothing is decided here. A line names no person: a guardian is a number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, NamedTuple

from services.contract.reasons import ReasonCode, Rule
from services.filtering.consent import Band, bands
from services.filtering.decision import (
    SEVERITY,
    TABLE_ORDER,
    Outcome,
    Verdict,
    decide_under,
    erasure_owed,
    findings,
    ground_of,
    minimised_in,
    outcome_of,
)
from services.filtering.last_words import Says, last_words
from services.filtering.minimisation import Minimised
from services.filtering.parsing import read_request
from services.filtering.policy import Finding
from services.filtering.request import GUARDIAN, SUBJECT, Article, Policy, Request
from services.filtering.unknown import UNKNOWN, Answer, Maybe

Standing = Literal["passes", "assumes", "drops", "holds", "fails", "unknown", "not-asked"]
"""`assumes`: what is not known was taken for the safer (R9). `unknown`: it cannot even be said whether to ask."""


class Found(NamedTuple):
    """One thing that a rule has against a release, and the verdict that comes of it alone."""

    code: ReasonCode
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Line:
    """One rule; `ground` is why it lets the release through, `fields` those that it drops."""

    rule: Rule
    standing: Standing
    found: tuple[Found, ...] = ()
    ground: ReasonCode | None = None
    fields: tuple[str, ...] = ()


class FieldLine(NamedTuple):
    """One field on offer; `rules` drop it, and where there is none it is kept. Unknown where it is unmapped."""

    name: Maybe[str]
    category: Maybe[str]
    rules: tuple[Rule, ...]


class PartyLine(NamedTuple):
    """The last word of one party on this purpose and provider: `subject`, `guardian 1`, `another`."""

    party: str
    says: Says
    code: ReasonCode | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict and what led to it; `absent` are fields of the contract that nobody offers."""

    verdict: Verdict
    lines: tuple[Line, ...]
    fields: tuple[FieldLine, ...] = ()
    absent: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    parties: tuple[PartyLine, ...] = ()


def explain(policy: Policy, source: Mapping[str, object]) -> Explanation:
    """Decide one request under a policy that was read before, and say how each rule stands to it."""
    verdict = decide_under(policy, source)
    if [reason.code for reason in verdict.reasons] == ["evaluation-error"]:
        return Explanation(verdict, (Line("R0", "holds", (Found("evaluation-error", "hold"),)),))
    request = read_request(policy, source)
    minimised = minimised_in(request)
    return Explanation(
        verdict,
        _lines(request, minimised),
        tuple(
            FieldLine(
                field.name, field.category, () if field.name is UNKNOWN else minimised.dropped.get(field.name, ())
            )
            for field in request.fields
        ),
        *_of_contract(request),
        _parties(request),
    )


def _of_contract(request: Request) -> tuple[tuple[str, ...], tuple[str, ...]]:
    contract = request.policy.contract
    if contract is None or contract is UNKNOWN:
        return (), ()
    offered = {field.name for field in request.fields}
    return tuple(name for name in contract.fields.known if name not in offered), contract.required.known


def _lines(request: Request, minimised: Minimised) -> tuple[Line, ...]:
    owed = erasure_owed(request)
    if owed is not None:
        first = Line("R1", "fails", (Found(owed, "erase"),))
        return tuple(first if rule == "R1" else Line(rule, "not-asked") for rule in TABLE_ORDER)
    against = list(findings(request, minimised))
    return tuple(
        _line(rule, request, minimised, [each for each in against if each.rule == rule]) for rule in TABLE_ORDER
    )


def _line(rule: Rule, request: Request, minimised: Minimised, against: Sequence[Finding]) -> Line:
    found = tuple(dict.fromkeys([Found(each.code, outcome_of(each, request)) for each in against]))
    fields = tuple(name for name, rules in minimised.dropped.items() if rule in rules)
    worst = max([each.outcome for each in found], key=SEVERITY.__getitem__, default="release")
    if worst != "release":
        return Line(rule, "holds" if worst == "hold" else "fails", found, fields=fields)
    asked = _is_asked(rule, request)
    if fields:
        return Line(rule, "drops", fields=fields)
    if asked is not True:
        return Line(rule, "unknown" if asked is UNKNOWN else "not-asked")
    if rule == "R9":
        return Line(rule, "assumes" if request.subject.birth_date is None else "passes")
    return Line(rule, "passes", ground=_ground(rule, request))


def _ground(rule: Rule, request: Request) -> ReasonCode | None:
    if request.policy.basis.article is UNKNOWN:
        return None
    ground = ground_of(request)
    return ground.code if ground.rule == rule else None


_OF_ARTICLE: Final[Mapping[Rule, frozenset[Article]]] = {
    "R3": frozenset({"6(1)(e)"}),
    "R4": frozenset({"6(1)(c)"}),
    "R5": frozenset({"6(1)(f)"}),
    "R6": frozenset({"6(1)(f)"}),
    "R7": frozenset({"6(1)(b)"}),
    "R8": frozenset({"6(1)(a)"}),
    "R13": frozenset({"6(1)(a)"}),
    "R15": frozenset({"6(1)(e)", "6(1)(f)"}),
}
_OF_BAND: Final[Mapping[Rule, frozenset[Band]]] = {
    "R9": frozenset({Band.HOLDERS, Band.JOINT, Band.MINOR, Band.ADULT}),
    "R10": frozenset({Band.HOLDERS, Band.JOINT}),
    "R11": frozenset({Band.MINOR}),
    "R12": frozenset({Band.ADULT}),
    "R14": frozenset({Band.MINOR}),
}


def _is_asked(rule: Rule, request: Request) -> Answer:
    """Say whether a rule has anything to judge here."""
    article = request.policy.basis.article
    if rule in _OF_ARTICLE:
        return UNKNOWN if article is UNKNOWN else article in _OF_ARTICLE[rule]
    if rule in _OF_BAND:
        return _is_of_age(rule, request, article)
    sovereign = request.policy.perimeter.sovereign
    others: Mapping[Rule, Answer] = {
        "R1": request.subject.delivered,
        "R19": any(place.country == "US" for place in request.policy.places),
        "R20": UNKNOWN if sovereign is UNKNOWN else sovereign is not False,
        "R23": any(field.category == "address" for field in request.fields),
    }
    return others.get(rule, True)


def _is_of_age(rule: Rule, request: Request, article: Maybe[Article]) -> Answer:
    if article != "6(1)(a)":
        return UNKNOWN if article is UNKNOWN else False
    possible = frozenset(bands(request))
    if not possible & _OF_BAND[rule]:
        return False
    return True if possible <= _OF_BAND[rule] else UNKNOWN


def _parties(request: Request) -> tuple[PartyLine, ...]:
    """Where consent is the ground: the person, each guardian, and whoever else spoke."""
    if request.policy.basis.article != "6(1)(a)":
        return ()
    words = last_words(request)
    named = {SUBJECT: SUBJECT}
    for number, name in enumerate(request.subject.guardians.known + request.subject.opposing.known, 1):
        named[GUARDIAN + name] = f"guardian {number}"
    for party in words.by_party:
        named.setdefault(party, "another")
    lines = []
    for party, name in named.items():
        word = words.of(party)
        lines.append(PartyLine(name, word.says, word.code, word.at if party in words.by_party else None))
    return tuple(lines)
