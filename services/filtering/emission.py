"""From a verdict to what is sent: a release, a withdrawal, a restriction, or nothing where nothing changed. Pure."""

import hashlib
from collections.abc import Container, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal, NamedTuple

import orjson

from services.contract.audit import End
from services.contract.errors import NotAnIdentifier
from services.contract.naming import name_of_person
from services.contract.reasons import Rule
from services.filtering.case import Named, Person, Terms, out_of_scope, person_of
from services.filtering.decision import Outcome, Verdict
from services.filtering.detector import Traces
from services.filtering.freshness import Staleness
from services.filtering.guard import SHORT_CUTS, falls_on_everybody, said_no
from services.filtering.likeness import Moment, moment_of
from services.filtering.precedents import Precedents
from services.filtering.sending import Emission, next_seq, released, taken_back
from services.filtering.subject import NameParts, Pair, Subject

ENDS: Mapping[Outcome, End] = {"release": "released", "withhold": "withheld", "hold": "held", "erase": "erased"}
UNCHANGED: Literal["unchanged"] = "unchanged"
GUARDED: Literal["deletion-guard"] = "deletion-guard"


class Decided(NamedTuple):
    """How one input ended for one pair, and what goes out: at most one emission."""

    pair: str
    end: End
    reason: str
    emission: Emission | None
    dropped: Mapping[str, Rule] = MappingProxyType({})
    """Of what goes out, or would have: every field that stays inside, and the lowest rule that keeps it."""


class Decisions(NamedTuple):
    """The subject with its pairs moved on, whom it shows, the ends, and the last `seq` issued."""

    subject: Subject
    person: Person
    decided: tuple[Decided, ...]
    seq: int


def decide_pairs(  # noqa: PLR0913  # the last three concern only what is not as usual
    key: str, subject: Subject, terms: Mapping[str, Terms], now: datetime, seq: int, *,
    bare: Mapping[str, Named] = MappingProxyType({}), approved: Container[str] = frozenset(),
    stale: Staleness | None = None,
) -> Decisions | None:  # fmt: skip
    """Decide a subject for every contract; null where no image has shown who it is.

    `seq` is the last one issued in this partition: every emission takes a higher one than it and than the pair's
    own, and than the wall clock's microseconds, so that it is unique here and grows across a move to another partition.
    `bare` holds the providers whose policy names no contract, and so none of `terms`. What a change erases of everybody
    at once is held, but of the contracts that are `approved` (guard.py); where what it rests on is `stale`, so is what
    would be released.

    Raises:
        NotThisSchema: something is to go out about a subject whose key is longer than any that may travel.
    """
    moment = moment_of(now)
    person = person_of(key, subject, moment)
    if person is None:
        return None
    asked = _Asked(person, moment, approved=approved, stale=stale)
    pairs = dict(subject.pairs)
    decided = []
    for pair, term in terms.items():
        outcome, moved = asked.decide(term, pairs.get(pair), seq)
        if moved is not None:
            pairs[pair] = moved
            seq = moved.seq
        decided.append(outcome)
    for pair in [name for name, known in pairs.items() if known.last != "erase" and name not in terms]:
        if (policy := _policy_of(pair, terms, bare)) is None:
            continue
        waits = not (pair in approved or subject.deleted or said_no(subject.consents, pair.partition("/")[0]))
        outcome, moved = asked.orphan(pair, pairs[pair], policy, seq, waits=waits)
        if moved is not None:
            pairs[pair] = moved
            seq = moved.seq
        decided.append(outcome)
    moved_on = Subject(subject.images, subject.consents, pairs, subject.particulars)
    return Decisions(moved_on, person, tuple(decided), seq)


def _policy_of(pair: str, terms: Mapping[str, Terms], bare: Mapping[str, Named]) -> Named | None:
    """The policy of a pair's provider, which does not name its contract any more; null where it is not here."""
    provider = pair.partition("/")[0]
    held = (term.named for term in terms.values() if term.policy.provider == provider)
    return bare.get(provider) or next(held, None)


class _Asked:
    """One person at one moment, and what all contracts share of what is made for her."""

    __slots__ = (
        "_all_holders", "_approved", "_looked_into", "_moment", "_names", "_person", "_shown", "_stale", "_usual",
    )  # fmt: skip

    def __init__(self, person: Person, moment: Moment, *, approved: Container[str], stale: Staleness | None) -> None:
        self._person = person
        self._approved = approved
        self._stale = stale
        self._moment = moment
        self._usual, self._all_holders = person.facts(moment.day)
        self._names: dict[str, NameParts] = {}
        self._shown: dict[tuple[str, ...], tuple[str, bytes]] = {}
        self._looked_into: dict[tuple[str, ...], Mapping[str, Traces]] = {}

    def decide(self, term: Terms, known: Pair | None, issued: int) -> tuple[Decided, Pair | None]:
        """The end of one input for one pair, and the pair as it stands after an emission; null without one."""
        scope = out_of_scope(term, self._person)
        verdict = self._ask(term.without_contract if scope else term.under, term, known)
        first = verdict.reasons[0]
        # Where the contract does not speak of this person at all, that is why.
        code = scope if scope and first.code == "no-contract" else first.code
        end, reason = ENDS[verdict.verdict], f"{first.rule}/{code}"
        match verdict.verdict:
            case "release":
                return self._release(term, verdict, known, issued, reason)
            case "erase":
                if known is None or known.last == "erase":
                    return Decided(term.pair, end, UNCHANGED, None), None
                # Whoever falls with her last pupil falls alone: it is the pupils that the guard counts.
                if scope != "no-linked-pupil" and term.pair not in self._approved and self._waits(term, verdict):
                    return Decided(term.pair, "held", GUARDED, None), None
                moved = known.erased(next_seq(issued, known, self._moment))
            case "hold" if verdict.restrict and known is not None and known.last == "release":
                moved = known.restricted(next_seq(issued, known, self._moment))
            case _:
                return Decided(term.pair, end, reason, None, verdict.dropped), None
        reasons = [f"{each.rule}/{each.code}" for each in verdict.reasons]
        emission = taken_back(self._person.key, term.pair, moved, term.named, reasons)
        return Decided(term.pair, end, reason, emission), moved

    def _ask(self, under: Precedents, term: Terms, known: Pair | None) -> Verdict:
        """Only what would newly leave is looked into: R16 must know what is in it."""
        facts, delivered = self._usual if term.usual else self._all_holders, known is not None
        verdict = under.decide(facts, self._moment, delivered=delivered)
        if verdict.verdict != "release" or self._is_said(known, verdict.fields):
            return verdict
        if traces := self._look_into(verdict.fields):
            return under.decide(facts.offering(self._person.offer_with(traces)), self._moment, delivered=delivered)
        return verdict

    def _is_said(self, known: Pair | None, fields: tuple[str, ...]) -> bool:
        return known is not None and known.last == "release" and known.digest == self._show(fields)[0]

    def _look_into(self, fields: tuple[str, ...]) -> Mapping[str, Traces]:
        if fields not in self._looked_into:
            self._looked_into[fields] = self._person.traces(fields)
        return self._looked_into[fields]

    def _waits(self, term: Terms, verdict: Verdict) -> bool:
        """Whether this erasure is everybody's and not owed to this person, and so waits for an operator."""
        if not falls_on_everybody(
            verdict, ended_by_change=term.ended_by_change, covers_nobody=term.covers_nobody, staged=term.policy.staged
        ):
            return False
        facts = self._usual if term.usual else self._all_holders
        return verdict.reasons[0].code not in SHORT_CUTS or not term.under.owes(facts, self._moment)

    def orphan(self, pair: str, known: Pair, policy: Named, issued: int, *, waits: bool) -> tuple[Decided, Pair | None]:
        """Erase what was released under a contract that its provider's policy no longer names (GDPR 28(3)(g)).

        Article 18 keeps it, restricted, as it does where a contract ends (R22); else it may wait for an operator.
        """
        request, seq = self._person.request, next_seq(issued, known, self._moment)
        end: End = "erased"
        reason, moved = "R1/no-contract", known.erased(seq)
        if "article-18" in request["restrictions"] and not request["deleted"]:
            end, reason, moved = "held", "R22/article-18", known.restricted(seq)
            if known.last == "restrict":
                return Decided(pair, end, reason, None), None
        elif waits:
            return Decided(pair, "held", GUARDED, None), None
        return Decided(pair, end, reason, taken_back(self._person.key, pair, moved, policy, [reason])), moved

    def _release(
        self, term: Terms, verdict: Verdict, known: Pair | None, issued: int, reason: str
    ) -> tuple[Decided, Pair | None]:
        if self._is_said(known, verdict.fields):
            return Decided(term.pair, "released", UNCHANGED, None), None
        try:
            named_by = known.named_by if known else self._name(term.policy.perimeter.id)
        except NotAnIdentifier as error:
            return Decided(term.pair, "held", error.code, None), None
        if self._stale is not None:
            return Decided(term.pair, "held", self._stale, None), None
        digest, fields = self._show(verdict.fields)
        # As with the identifier, a pair keeps the first: under another name, what was sent could not be erased.
        seq = next_seq(issued, known, self._moment)
        moved = Pair(seq, "release", digest, named_by, known.purpose_family if known else term.family)
        person = self._person
        emission = released(person, term.pair, moved, term.named, fields)
        return Decided(term.pair, "released", reason, emission, verdict.dropped), moved

    def _name(self, perimeter: str) -> NameParts:
        if perimeter not in self._names:
            person = self._person
            named = name_of_person(perimeter, person.source, person.id, person.ine if person.kind == "pupil" else None)
            self._names[perimeter] = (named.entity_class, named.namespace, named.type, named.value)
        return self._names[perimeter]

    def _show(self, names: tuple[str, ...]) -> tuple[str, bytes]:
        """What a provider would see: named by 32 hexadecimal digits, so that nothing is sent twice, and as JSON."""
        shown = self._shown.get(names)
        if shown is None:
            person = self._person
            fields = {name: person.values[name] for name in names}
            seen = orjson.dumps([person.kind, person.source, fields], option=orjson.OPT_SORT_KEYS)
            shown = hashlib.sha256(seen).hexdigest()[:32], orjson.dumps(fields)
            self._shown[names] = shown
        return shown
