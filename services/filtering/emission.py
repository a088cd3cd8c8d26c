"""From a verdict to what is sent: a release, a withdrawal, or nothing where nothing changed. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

import orjson

from services.contract.audit import End
from services.contract.errors import NotAnIdentifier, NotThisSchema
from services.contract.naming import name_of_person
from services.contract.reasons import Rule
from services.contract.releases import MAX_SUBJECT
from services.filtering.case import Named, Person, Terms, out_of_scope, person_of
from services.filtering.decision import Outcome, Verdict
from services.filtering.detector import Traces
from services.filtering.likeness import Moment, moment_of
from services.filtering.subject import NameParts, Pair, Subject

ENDS: Mapping[Outcome, End] = {"release": "released", "withhold": "withheld", "hold": "held", "erase": "erased"}
UNCHANGED: Literal["unchanged"] = "unchanged"


class Emission(NamedTuple):
    """One record that goes out; `value` is what the payload's own model would write."""

    payload: Literal["release", "withdrawal"]
    contract: str
    seq: int
    value: bytes


class Decided(NamedTuple):
    """How one input ended for one pair, and what goes out: at most one emission."""

    pair: str
    end: End
    reason: str
    emission: Emission | None
    dropped: Mapping[str, Rule] = MappingProxyType({})
    """Of what goes out, or would have: every field that stays inside, and the lowest rule that keeps it."""


class Decisions(NamedTuple):
    """The subject with its pairs moved on, the ends, and the last `seq` issued."""

    subject: Subject
    decided: tuple[Decided, ...]
    seq: int


def decide_pairs(  # noqa: PLR0913  # the last concerns only providers that have lost their every contract
    key: str, subject: Subject, terms: Mapping[str, Terms], now: datetime, seq: int, *,
    bare: Mapping[str, Named] = MappingProxyType({}),
) -> Decisions | None:  # fmt: skip
    """Decide a subject for every contract; null where no image has shown who it is.

    `seq` is the last one issued in this partition: every emission takes a higher one than it and than the pair's
    own, and than the wall clock's microseconds, so that it is unique here and grows across a move to another partition.
    `bare` holds the providers whose policy names no contract, and so none of `terms`.

    Raises:
        NotThisSchema: something is to go out about a subject whose key is longer than any that may travel.
    """
    person = person_of(key, subject)
    if person is None:
        return None
    moment = moment_of(now)
    asked = _Asked(person, moment)
    pairs = dict(subject.pairs)
    decided = []
    for pair, term in terms.items():
        outcome, moved = asked.decide(term, pairs.get(pair), seq)
        if moved is not None:
            pairs[pair] = moved
            seq = moved.seq
        decided.append(outcome)
    for pair in [name for name, known in pairs.items() if known.last == "release" and name not in terms]:
        if (policy := _policy_of(pair, terms, bare)) is None:
            continue
        seq = _next_seq(seq, pairs[pair], moment)
        pairs[pair] = pairs[pair].erased(seq)
        decided.append(_orphaned(key, pair, pairs[pair], policy))
    return Decisions(Subject(subject.images, subject.consents, pairs), tuple(decided), seq)


def _policy_of(pair: str, terms: Mapping[str, Terms], bare: Mapping[str, Named]) -> Named | None:
    """The policy of a pair's provider, which does not name its contract any more; null where it is not here."""
    provider = pair.partition("/")[0]
    held = (term.named for term in terms.values() if term.policy.provider == provider)
    return bare.get(provider) or next(held, None)


class _Asked:
    """One person at one moment, and what all contracts share of what is made for her."""

    __slots__ = ("_all_holders", "_looked_into", "_moment", "_names", "_person", "_shown", "_usual")

    def __init__(self, person: Person, moment: Moment) -> None:
        self._person = person
        self._moment = moment
        self._usual, self._all_holders = person.facts(moment.day)
        self._names: dict[str, NameParts] = {}
        self._shown: dict[tuple[str, ...], tuple[str, bytes]] = {}
        self._looked_into: dict[tuple[str, ...], Mapping[str, Traces]] = {}

    def decide(self, term: Terms, known: Pair | None, issued: int) -> tuple[Decided, Pair | None]:
        """The end of one input for one pair, and the pair as it stands after an emission; null without one."""
        scope = out_of_scope(term.contract, self._person)
        under, facts = term.without_contract if scope else term.under, self._usual if term.usual else self._all_holders
        verdict = under.decide(facts, self._moment, delivered=known is not None)
        if verdict.verdict == "release":
            if self._is_said(known, verdict.fields):
                return Decided(term.pair, "released", UNCHANGED, None), None
            # Only what would newly leave is looked into: R16 must know what is in it.
            if traces := self._look_into(verdict.fields):
                facts = facts.offering(self._person.offer_with(traces))
                verdict = under.decide(facts, self._moment, delivered=known is not None)
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
                moved = known.erased(_next_seq(issued, known, self._moment))
                reasons = [f"{each.rule}/{each.code}" for each in verdict.reasons]
                value = _payload(self._person.key, term.pair, moved, term.named, reasons=reasons)
                return Decided(
                    term.pair, end, reason, Emission("withdrawal", term.contract.id, moved.seq, value)
                ), moved
            case _:
                return Decided(term.pair, end, reason, None, verdict.dropped), None

    def _is_said(self, known: Pair | None, fields: tuple[str, ...]) -> bool:
        return known is not None and known.last == "release" and known.digest == self._show(fields)[0]

    def _look_into(self, fields: tuple[str, ...]) -> Mapping[str, Traces]:
        if fields not in self._looked_into:
            self._looked_into[fields] = self._person.traces(fields)
        return self._looked_into[fields]

    def _release(
        self, term: Terms, verdict: Verdict, known: Pair | None, issued: int, reason: str
    ) -> tuple[Decided, Pair | None]:
        if self._is_said(known, verdict.fields):
            return Decided(term.pair, "released", UNCHANGED, None), None
        try:
            named_by = known.named_by if known else self._name(term.policy.perimeter.id)
        except NotAnIdentifier as error:
            return Decided(term.pair, "held", error.code, None), None
        digest, fields = self._show(verdict.fields)
        # As with the identifier, a pair keeps the first: under another name, what was sent could not be erased.
        seq = _next_seq(issued, known, self._moment)
        moved = Pair(seq, "release", digest, named_by, known.purpose_family if known else term.family)
        person = self._person
        value = _payload(
            person.key, term.pair, moved, term.named,
            kind=person.kind, source=person.source, fields=orjson.Fragment(fields),
        )  # fmt: skip
        emission = Emission("release", term.contract.id, seq, value)
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


def _orphaned(key: str, pair: str, moved: Pair, policy: Named) -> Decided:
    """Erase what was released under a contract that its provider's policy no longer names (GDPR art. 28(3)(g))."""
    value = _payload(key, pair, moved, policy, reasons=["R1/no-contract"])
    return Decided(pair, "erased", "R1/no-contract", Emission("withdrawal", pair.partition("/")[2], moved.seq, value))


def _payload(key: str, name: str, pair: Pair, policy: Named, **more: Any) -> bytes:
    """A release or a withdrawal, byte for byte as its model writes it.

    Every part was checked when it came in, with the policy, the change or the state; only a key may be too long.
    """
    if len(key) > MAX_SUBJECT:
        raise NotThisSchema("subject: string_too_long")
    provider, _, contract = name.partition("/")
    entity_class, namespace, id_type, value = pair.named_by
    return orjson.dumps(
        {
            "subject": key,
            "provider": provider,
            "contract": contract,
            "purpose_family": pair.purpose_family,
            "seq": pair.seq,
            "named_by": {"entity_class": entity_class, "namespace": namespace, "type": id_type, "value": value},
            "policy": policy.digest,
            "policy_version": policy.version,
            **more,
        }
    )


def _next_seq(issued: int, known: Pair | None, moment: Moment) -> int:
    return max(issued + 1, known.seq + 1 if known else 0, moment.microseconds)
