"""From a verdict to what is sent: a release, a withdrawal, or nothing where nothing changed. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from services.contract.errors import NotAnIdentifier, NotThisSchema
from services.contract.naming import name_of_person
from services.contract.releases import MAX_SUBJECT
from services.filtering.case import Named, Person, Terms, person_of
from services.filtering.docket import Decided, Docket, Emission, Ruling, ruling_of
from services.filtering.likeness import Moment, moment_of
from services.filtering.subject import NameParts, Pair, Subject


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
    moment, docket = moment_of(now), terms if isinstance(terms, Docket) else Docket(terms)
    asked = _Asked(person, subject, moment, docket)
    if asked.sheet.silent is not None and not subject.pairs:
        return Decisions(subject, asked.sheet.silent, seq)
    pairs, decided = dict(subject.pairs), []
    moved: Pair | None
    fresh, had = asked.sheet.fresh, asked.sheet.had
    for place, pair in enumerate(docket):
        known = pairs.get(pair)
        ruling = (had if known else fresh)[place] or asked.rule(place, delivered=known is not None)
        if not ruling.may_emit or asked.is_said(ruling, known):
            decided.append(ruling.quiet)
            continue
        if ruling.end == "erased":
            outcome, moved = asked.withdraw(docket[pair], ruling, pairs[pair], seq)
        else:
            outcome, moved = asked.release(docket[pair], ruling, known, seq)
        if moved is not None:
            pairs[pair] = moved
            seq = moved.seq
        decided.append(outcome)
    if not pairs:
        asked.sheet.settle()
    for pair in [] if pairs.keys() <= docket.keys() else _orphans(pairs, docket):
        if (policy := _policy_of(pair, docket, bare)) is None:
            continue
        seq = _next_seq(seq, pairs[pair], moment)
        pairs[pair] = pairs[pair].erased(seq)
        decided.append(_orphaned(key, pair, pairs[pair], policy))
    return Decisions(Subject(subject.images, subject.consents, pairs), tuple(decided), seq)


def _orphans(pairs: Mapping[str, Pair], docket: Docket) -> list[str]:
    return [name for name, known in pairs.items() if known.last == "release" and name not in docket]


def _policy_of(pair: str, terms: Mapping[str, Terms], bare: Mapping[str, Named]) -> Named | None:
    """The policy of a pair's provider, which does not name its contract any more; null where it is not here."""
    provider = pair.partition("/")[0]
    held = (term.named for term in terms.values() if term.policy.provider == provider)
    return bare.get(provider) or next(held, None)


class _Asked:
    """One person at one moment, and what all contracts share of what is made for her."""

    __slots__ = ("_digests", "_facts", "_heard", "_moment", "_names", "_person", "_scopes", "_shared", "_terms",
                 "_written", "sheet")  # fmt: skip

    def __init__(self, person: Person, subject: Subject, moment: Moment, docket: Docket) -> None:
        self._person = person
        self._moment = moment
        self._terms = docket.terms
        self._facts = usual, all_holders = person.facts(moment.day)
        self._scopes = docket.scopes(person)
        self._heard = docket.heard(subject.consents) if subject.consents else ()
        self._shared = docket.sheet(usual, all_holders, self._scopes, moment.day)
        self.sheet = self._shared.without(self._heard) if self._heard else self._shared
        self._names: dict[str, NameParts] = {}
        self._digests: dict[tuple[str, ...], str] = {}
        self._written: dict[tuple[str, ...], bytes] = {}

    def rule(self, place: int, *, delivered: bool) -> Ruling:
        """Ask one contract; keep the answer for all who are like her, unless it heard what she said."""
        term, (usual, all_holders) = self._terms[place], self._facts
        facts = usual if term.usual else all_holders
        ruling = ruling_of(term, self._scopes[place], facts, self._moment, delivered=delivered)
        if term.under.has_precedents and place not in self._heard:
            (self._shared.had if delivered else self._shared.fresh)[place] = ruling
        return ruling

    def is_said(self, ruling: Ruling, known: Pair | None) -> bool:
        """Whether the last word of the pair says it already."""
        if known is None:
            return ruling.end == "erased"
        names = ruling.verdict.fields
        return (
            known.last == "erase"
            if ruling.end == "erased"
            else known.digest == (self._digests.get(names) or self._digest(names))
        )

    def withdraw(self, term: Terms, ruling: Ruling, known: Pair, issued: int) -> tuple[Decided, Pair]:
        """Take back what was released, and the pair as it then stands."""
        moved = known.erased(_next_seq(issued, known, self._moment))
        more = {"reasons": [f"{each.rule}/{each.code}" for each in ruling.verdict.reasons]}
        value = _payload(self._person.key, (term.policy.provider, term.contract.id), moved, term.named, more)
        sent = Emission("withdrawal", term.contract.id, moved.seq, value)
        return Decided(term.pair, ruling.end, ruling.reason, sent), moved

    def release(self, term: Terms, ruling: Ruling, known: Pair | None, issued: int) -> tuple[Decided, Pair | None]:
        """Let go what may be known, and the pair as it then stands; null where the person cannot be named."""
        try:
            named_by = known.named_by if known else self._name(term.policy.perimeter.id)
        except NotAnIdentifier as error:
            return Decided(term.pair, "held", error.code, None), None
        names = ruling.verdict.fields
        # As with the identifier, a pair keeps the first: under another name, what was sent could not be erased.
        seq = _next_seq(issued, known, self._moment)
        moved = Pair(seq, "release", self._digest(names), named_by, known.purpose_family if known else term.family)
        person = self._person
        more = {"kind": person.kind, "source": person.source, "fields": orjson.Fragment(self._json(names))}
        value = _payload(person.key, (term.policy.provider, term.contract.id), moved, term.named, more)
        sent = Emission("release", term.contract.id, seq, value)
        return Decided(term.pair, "released", ruling.reason, sent), moved

    def _name(self, perimeter: str) -> NameParts:
        if perimeter not in self._names:
            person = self._person
            named = name_of_person(perimeter, person.source, person.id, person.ine if person.kind == "pupil" else None)
            self._names[perimeter] = (named.entity_class, named.namespace, named.type, named.value)
        return self._names[perimeter]

    def _digest(self, names: tuple[str, ...]) -> str:
        """What a provider would see, named by 32 hexadecimal digits, so that nothing is sent twice."""
        digest = self._digests.get(names)
        if digest is None:
            fields = {name: self._person.values[name] for name in names}
            seen = orjson.dumps([self._person.kind, self._person.source, fields], option=orjson.OPT_SORT_KEYS)
            digest = self._digests[names] = hashlib.sha256(seen).hexdigest()[:32]
        return digest

    def _json(self, names: tuple[str, ...]) -> bytes:
        """The fields, as they travel."""
        written = self._written.get(names)
        if written is None:
            written = self._written[names] = orjson.dumps({name: self._person.values[name] for name in names})
        return written


def _orphaned(key: str, pair: str, moved: Pair, policy: Named) -> Decided:
    """Erase what was released under a contract that its provider's policy no longer names (GDPR art. 28(3)(g))."""
    provider, _, contract = pair.partition("/")
    value = _payload(key, (provider, contract), moved, policy, {"reasons": ["R1/no-contract"]})
    return Decided(pair, "erased", "R1/no-contract", Emission("withdrawal", contract, moved.seq, value))


def _payload(key: str, of: tuple[str, str], pair: Pair, policy: Named, more: Mapping[str, Any]) -> bytes:
    """A release or a withdrawal `of` a provider and contract, byte for byte as its model writes it.

    Every part was checked when it came in, with the policy, the change or the state; only a key may be too long.
    """
    if len(key) > MAX_SUBJECT:
        raise NotThisSchema("subject: string_too_long")
    entity_class, namespace, id_type, value = pair.named_by
    return orjson.dumps(
        {
            "subject": key,
            "provider": of[0],
            "contract": of[1],
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
