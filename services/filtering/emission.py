"""From a verdict to what is sent: a release, a withdrawal, or nothing where nothing changed. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import orjson

from services.contract.audit import End
from services.contract.errors import NotAnIdentifier
from services.contract.naming import NamedBy, name_of_person
from services.contract.releases import Emission, Release, Withdrawal
from services.filtering.case import Person, Terms, out_of_scope, person_of, person_request
from services.filtering.decision import Outcome, Verdict, decide_under
from services.filtering.subject import Pair, Subject

ENDS: Mapping[Outcome, End] = {"release": "released", "withhold": "withheld", "hold": "held", "erase": "erased"}
UNCHANGED: Literal["unchanged"] = "unchanged"


@dataclass(frozen=True, slots=True)
class Decided:
    """How one input ended for one pair, and what goes out: at most one emission."""

    pair: str
    end: End
    reason: str
    emission: Emission | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """The subject with its pairs moved on, the ends, and the last `seq` issued."""

    subject: Subject
    decided: tuple[Decided, ...]
    seq: int


@dataclass(frozen=True, slots=True)
class Named:
    """Which policy an emission names."""

    digest: str
    version: int


def decide_pairs(  # noqa: PLR0913  # the last concerns only providers that have lost their every contract
    key: str, subject: Subject, terms: Mapping[str, Terms], now: datetime, seq: int, *,
    bare: Mapping[str, Named] = MappingProxyType({}),
) -> Decisions | None:  # fmt: skip
    """Decide a subject for every contract; null where no image has shown who it is.

    `seq` is the last one issued in this partition: every emission takes a higher one than it and than the pair's
    own, and than the wall clock's microseconds, so that it is unique here and grows across a move to another partition.
    `bare` holds the providers whose policy names no contract, and so none of `terms`.
    """
    person = person_of(key, subject)
    if person is None:
        return None
    pairs = dict(subject.pairs)
    decided = []
    for pair, term in terms.items():
        known = pairs.get(pair)
        verdict = _ask(term, person, now, known)
        next_seq = _next_seq(seq, known, now)
        outcome, moved = _emit(term, person, verdict, known, next_seq)
        if moved is not None:
            pairs[pair] = moved
            seq = next_seq
        decided.append(outcome)
    policies = {term.policy.provider: Named(term.digest, term.policy.version) for term in terms.values()} | dict(bare)
    orphans = {pair: known for pair, known in pairs.items() if pair not in terms and known.last == "release"}
    for pair, known in orphans.items():
        if (policy := policies.get(pair.partition("/")[0])) is None:
            continue
        seq = _next_seq(seq, known, now)
        pairs[pair] = replace(known, seq=seq, last="erase", digest="")
        decided.append(_orphaned(key, pair, pairs[pair], policy))
    return Decisions(replace(subject, pairs=pairs), tuple(decided), seq)


def _ask(term: Terms, person: Person, now: datetime, known: Pair | None) -> Verdict:
    policy = term.without_contract if out_of_scope(term.contract, person) else term.read
    return decide_under(policy, person_request(person, term.contract, now, delivered=known is not None))


def _emit(  # what was asked, the answer, and what came before
    term: Terms, person: Person, verdict: Verdict, known: Pair | None, seq: int
) -> tuple[Decided, Pair | None]:
    """The end of one input for one pair, and the pair as it stands after an emission; null without one."""
    pair, end = term.pair, ENDS[verdict.verdict]
    common: dict[str, Any] = {
        "subject": person.key,
        "provider": term.policy.provider,
        "contract": term.contract.id,
        # As with the identifier, a pair keeps the first: under another name, what was sent could not be erased.
        "purpose_family": known.purpose_family if known else term.contract.family,
        "seq": seq,
        "policy": term.digest,
        "policy_version": term.policy.version,
    }
    match verdict.verdict:
        case "release":
            try:
                named_by = known.named_by if known else _name(term, person)
            except NotAnIdentifier as error:
                return Decided(pair, "held", error.code, None), None
            fields = {name: person.values[name] for name in verdict.fields}
            digest = _digest(person, fields)
            if known and known.last == "release" and known.digest == digest:
                return Decided(pair, end, UNCHANGED, None), None
            release = Release(named_by=named_by, kind=person.kind, source=person.source, fields=fields, **common)
            moved = Pair(seq, "release", digest, named_by, release.purpose_family)
            return Decided(pair, end, _reason(term, person, verdict), release), moved
        case "erase":
            if known is None or known.last == "erase":
                return Decided(pair, end, UNCHANGED, None), None
            reasons = tuple(f"{reason.rule}/{reason.code}" for reason in verdict.reasons)
            withdrawal = Withdrawal(named_by=known.named_by, reasons=reasons, **common)
            return Decided(pair, end, _reason(term, person, verdict), withdrawal), replace(
                known, seq=seq, last="erase", digest=""
            )
        case _:
            return Decided(pair, end, _reason(term, person, verdict), None), None


def _name(term: Terms, person: Person) -> NamedBy:
    return name_of_person(
        term.policy.perimeter.id, person.source, person.id, person.ine if person.kind == "pupil" else None
    )


def _reason(term: Terms, person: Person, verdict: Verdict) -> str:
    """The first reason, or why the contract does not speak of this person, where that is why."""
    first = verdict.reasons[0]
    if first.code == "no-contract" and (scope := out_of_scope(term.contract, person)):
        return f"{first.rule}/{scope}"
    return f"{first.rule}/{first.code}"


def _digest(person: Person, fields: Mapping[str, Any]) -> str:
    """Names what a provider would see, so that nothing is sent twice: 32 hexadecimal digits."""
    seen = orjson.dumps([person.kind, person.source, fields], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(seen).hexdigest()[:32]


def _orphaned(key: str, pair: str, moved: Pair, policy: Named) -> Decided:
    """Erase what was released under a contract that its provider's policy no longer names (GDPR art. 28(3)(g))."""
    provider, _, contract = pair.partition("/")
    withdrawal = Withdrawal(
        subject=key, provider=provider, contract=contract, purpose_family=moved.purpose_family, seq=moved.seq,
        named_by=moved.named_by, policy=policy.digest, policy_version=policy.version, reasons=("R1/no-contract",),
    )  # fmt: skip
    return Decided(pair, "erased", "R1/no-contract", withdrawal)


def _next_seq(issued: int, known: Pair | None, now: datetime) -> int:
    return max(issued + 1, known.seq + 1 if known else 0, int(now.timestamp() * 1_000_000))
