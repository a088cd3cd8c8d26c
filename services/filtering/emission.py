"""From a verdict to what is sent: a release, a withdrawal, a restriction, or nothing where nothing changed. Pure."""

import hashlib
from collections.abc import Container, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import orjson

from services.contract.errors import NotAnIdentifier
from services.contract.naming import name_of_person
from services.filtering.case import Named, Person, Terms, offer_with, person_of
from services.filtering.detector import Traces, traces_of
from services.filtering.docket import Decided, Docket, Ruling, ruling_of
from services.filtering.freshness import Staleness
from services.filtering.guard import SHORT_CUTS, falls_on_everybody, said_no
from services.filtering.likeness import Moment, moment_of
from services.filtering.sending import next_seq, released, taken_back
from services.filtering.subject import NameParts, Pair, Subject

GUARDED: Literal["deletion-guard"] = "deletion-guard"


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
    docket = terms if isinstance(terms, Docket) else Docket(terms)
    asked = _Asked(person, subject, moment, docket, approved=approved, stale=stale)
    if asked.sheet.silent is not None and not subject.pairs:
        return Decisions(subject, person, asked.sheet.silent, seq)
    pairs, decided = dict(subject.pairs), []
    fresh, had = asked.sheet.fresh, asked.sheet.had
    for place, term in enumerate(docket.terms):
        known = pairs.get(term.pair)
        ruling = (had if known else fresh)[place] or asked.rule(place, delivered=known is not None)
        if not ruling.may_emit or asked.is_said(term, ruling, known):
            decided.append(ruling.quiet)
            continue
        outcome, moved = asked.decide(term, ruling, known, seq)
        if moved is not None:
            pairs[term.pair] = moved
            seq = moved.seq
        decided.append(outcome)
    if not pairs:
        asked.sheet.settle()
    for pair in [] if pairs.keys() <= docket.keys() else _orphans(pairs, docket):
        if (policy := _policy_of(pair, docket, bare)) is None:
            continue
        waits = not (pair in approved or subject.deleted or said_no(subject.consents, pair.partition("/")[0]))
        outcome, moved = asked.orphan(pair, pairs[pair], policy, seq, waits=waits)
        if moved is not None:
            pairs[pair] = moved
            seq = moved.seq
        decided.append(outcome)
    moved_on = Subject(subject.images, subject.consents, pairs, subject.particulars)
    return Decisions(moved_on, person, tuple(decided), seq)


def _orphans(pairs: Mapping[str, Pair], docket: Docket) -> list[str]:
    return [name for name, known in pairs.items() if known.last != "erase" and name not in docket]


def _policy_of(pair: str, terms: Mapping[str, Terms], bare: Mapping[str, Named]) -> Named | None:
    """The policy of a pair's provider, which does not name its contract any more; null where it is not here."""
    provider = pair.partition("/")[0]
    held = (term.named for term in terms.values() if term.policy.provider == provider)
    return bare.get(provider) or next(held, None)


class _Asked:
    """One person at one moment, and what all contracts share of what is made for her."""

    __slots__ = (
        "_approved", "_digests", "_facts", "_heard", "_looked_into", "_moment", "_names", "_person", "_scopes",
        "_shared", "_shown", "_stale", "_terms", "_written", "sheet",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913  # whom, when, of what, and what is not as usual
        self, person: Person, subject: Subject, moment: Moment, docket: Docket, *,
        approved: Container[str], stale: Staleness | None,
    ) -> None:  # fmt: skip
        self._person = person
        self._approved = approved
        self._stale = stale
        self._moment = moment
        self._terms = docket.terms
        self._facts = usual, all_holders = person.facts(moment.day)
        self._scopes = docket.scopes(person)
        self._heard = docket.measured | docket.heard(subject.consents) if subject.consents else docket.measured
        self._shared = docket.sheet(usual, all_holders, self._scopes, moment.day)
        self.sheet = self._shared.without(self._heard) if self._heard else self._shared
        self._names: dict[str, NameParts] = {}
        self._shown: dict[str, Mapping[str, Any]] = {}
        self._looked_into: dict[tuple[str, ...], Mapping[str, Traces]] = {}
        self._digests: dict[tuple[str, ...], str] = {}
        self._written: dict[tuple[str, ...], bytes] = {}

    def rule(self, place: int, *, delivered: bool) -> Ruling:
        """Ask one contract; keep the answer for all who are like her, unless it heard her or is offered more of her."""
        term, (usual, all_holders) = self._terms[place], self._facts
        facts = usual if term.usual else all_holders
        if term.view is not None and term.view.offers:
            facts = facts.offering(offer_with(self._values(term), {}))
        ruling = ruling_of(term, self._scopes[place], facts, self._moment, delivered=delivered)
        if term.under.has_precedents and place not in self._heard:
            (self._shared.had if delivered else self._shared.fresh)[place] = ruling
        return ruling

    def _values(self, term: Terms) -> Mapping[str, Any]:
        """Her fields as this contract may see them."""
        if term.view is None:
            return self._person.values
        shown = self._shown.get(term.pair)
        if shown is None:
            shown = self._shown[term.pair] = self._person.shown(term, self._moment.day)
        return shown

    def is_said(self, term: Terms, ruling: Ruling, known: Pair | None) -> bool:
        """Whether the last word of the pair says it already."""
        match ruling.end:
            case "released":
                return known is not None and known.digest == self._digest(term, ruling.verdict.fields)
            case "erased":
                return known is None or known.last == "erase"
            case _:
                return known is None or known.last != "release"

    def decide(self, term: Terms, ruling: Ruling, known: Pair | None, issued: int) -> tuple[Decided, Pair | None]:
        """What goes out for one pair, and the pair as it then stands; null where nothing does for all that."""
        if ruling.end == "released" and (traces := self._look_into(term, ruling.verdict.fields)):
            ruling = self._rule_with(traces, term, ruling, delivered=known is not None)
            if not ruling.may_emit or self.is_said(term, ruling, known):
                return ruling.quiet, None
        if ruling.end == "released":
            return self._release(term, ruling, known, issued)
        if known is None:
            return ruling.quiet, None
        if ruling.end == "erased":
            # Whoever falls with her last pupil falls alone: it is the pupils that the guard counts.
            if ruling.scope != "no-linked-pupil" and term.pair not in self._approved and self._waits(term, ruling):
                return Decided(term.pair, "held", GUARDED, None), None
            moved = known.erased(next_seq(issued, known, self._moment))
        else:
            moved = known.restricted(next_seq(issued, known, self._moment))
        reasons = [f"{each.rule}/{each.code}" for each in ruling.verdict.reasons]
        emission = taken_back(self._person.key, term.pair, moved, term.named, reasons)
        return Decided(term.pair, ruling.end, ruling.reason, emission), moved

    def _look_into(self, term: Terms, fields: tuple[str, ...]) -> Mapping[str, Traces]:
        """What would newly leave, and only that: R16 must know what is in it."""
        key = _key(term, fields)
        if key not in self._looked_into:
            self._looked_into[key] = traces_of(fields, self._values(term))
        return self._looked_into[key]

    def _rule_with(self, traces: Mapping[str, Traces], term: Terms, ruling: Ruling, *, delivered: bool) -> Ruling:
        """The same question, her fields under the categories of what was found in them."""
        facts = self._facts[0 if term.usual else 1].offering(offer_with(self._values(term), traces))
        return ruling_of(term, ruling.scope, facts, self._moment, delivered=delivered)

    def _waits(self, term: Terms, ruling: Ruling) -> bool:
        """Whether this erasure is everybody's and not owed to this person, and so waits for an operator."""
        if not falls_on_everybody(
            ruling.verdict,
            ended_by_change=term.ended_by_change, covers_nobody=term.covers_nobody, staged=term.policy.staged,
        ):  # fmt: skip
            return False
        facts = self._facts[0] if term.usual else self._facts[1]
        return ruling.verdict.reasons[0].code not in SHORT_CUTS or not term.under.owes(facts, self._moment)

    def orphan(self, pair: str, known: Pair, policy: Named, issued: int, *, waits: bool) -> tuple[Decided, Pair | None]:
        """Erase what was released under a contract that its provider's policy no longer names (GDPR 28(3)(g)).

        Article 18 keeps it, restricted, as it does where a contract ends (R22); else it may wait for an operator.
        """
        request, seq = self._person.request, next_seq(issued, known, self._moment)
        reason, moved = "R1/no-contract", known.erased(seq)
        if "article-18" in request["restrictions"] and not request["deleted"]:
            reason, moved = "R22/article-18", known.restricted(seq)
            if known.last == "restrict":
                return Decided(pair, "held", reason, None), None
        elif waits:
            return Decided(pair, "held", GUARDED, None), None
        emission = taken_back(self._person.key, pair, moved, policy, [reason])
        return Decided(pair, "erased" if moved.last == "erase" else "held", reason, emission), moved

    def _release(self, term: Terms, ruling: Ruling, known: Pair | None, issued: int) -> tuple[Decided, Pair | None]:
        try:
            named_by = known.named_by if known else self._name(term.policy.perimeter.id)
        except NotAnIdentifier as error:
            return Decided(term.pair, "held", error.code, None), None
        if self._stale is not None:
            return Decided(term.pair, "held", self._stale, None), None
        # As with the identifier, a pair keeps the first: under another name, what was sent could not be erased.
        seq, names = next_seq(issued, known, self._moment), ruling.verdict.fields
        moved = Pair(
            seq, "release", self._digest(term, names), named_by, known.purpose_family if known else term.family
        )
        emission = released(self._person, term.pair, moved, term.named, self._json(term, names))
        return Decided(term.pair, "released", ruling.reason, emission, ruling.verdict.dropped), moved

    def _name(self, perimeter: str) -> NameParts:
        if perimeter not in self._names:
            person = self._person
            named = name_of_person(perimeter, person.source, person.id, person.ine if person.kind == "pupil" else None)
            self._names[perimeter] = (named.entity_class, named.namespace, named.type, named.value)
        return self._names[perimeter]

    def _digest(self, term: Terms, names: tuple[str, ...]) -> str:
        """What a provider would see, named by 32 hexadecimal digits, so that nothing is sent twice."""
        key = _key(term, names)
        digest = self._digests.get(key)
        if digest is None:
            values = self._values(term)
            fields = {name: values[name] for name in names}
            seen = orjson.dumps([self._person.kind, self._person.source, fields], option=orjson.OPT_SORT_KEYS)
            digest = self._digests[key] = hashlib.sha256(seen).hexdigest()[:32]
        return digest

    def _json(self, term: Terms, names: tuple[str, ...]) -> bytes:
        """The fields, as they travel."""
        key = _key(term, names)
        written = self._written.get(key)
        if written is None:
            values = self._values(term)
            written = self._written[key] = orjson.dumps({name: values[name] for name in names})
        return written


def _key(term: Terms, names: tuple[str, ...]) -> tuple[str, ...]:
    """What is made of these fields is the same for all contracts but those with a view of their own."""
    return names if term.view is None else (term.pair, *names)
