"""The whole trace of one person with one provider, as plain values; it names nobody but for what `values` asks for."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ops.explaining.whereabouts import Whereabouts
from services.contract.policies import Contract, ProviderPolicy, policy_digest
from services.filtering.case import OutOfScope, Person, person_of
from services.filtering.detector import Traces
from services.filtering.docket import Decided
from services.filtering.emission import decide_pairs
from services.filtering.explanation import Explanation
from services.filtering.generalisation import Counted, Hidden
from services.filtering.inquiry import inquire
from services.filtering.likeness import moment_of
from services.filtering.merging import Doubt, doubt_of, other_ine
from services.filtering.subject import Image, Pair, Subject
from services.filtering.terms import Named, Terms, terms_of

_COMPLETE = "0"


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One platform's word on the person: which changes are behind it, and which attributes it says."""

    source: str
    picked: bool
    """Whether this one counts: of several sources one does."""
    category: str
    version: str | None
    deleted: str | None
    said: tuple[str, ...]
    patched: Mapping[str, str]
    """Attribute → the version that said it later than the image."""
    values: Mapping[str, Any] | None
    """Only where they were asked for."""


class Version(NamedTuple):
    """A version in words: `20260915.0.000000012`."""

    day: str
    export: str
    number: int


@dataclass(frozen=True, slots=True)
class ContractTrace:
    """One contract, or one pair whose contract is gone; without an explanation there is nothing to decide on."""

    pair: str
    contract: Contract | None
    named: Named | None
    scope: OutOfScope | None
    explanation: Explanation | None
    traces: Mapping[str, Traces]
    now: Decided | None
    """What the filter would do of itself at this instant."""
    fence: Pair | None
    pseudonym: str | None
    whereabouts: Whereabouts | None
    place: Hidden | None = None
    """Why no place of hers is told to a contract that names one."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Under how many keys she is or may be known, beside the one that counts (decisions/0018)."""

    merged: int
    awaited: int
    """Whose image shows her INE: they are being handed over."""
    refused: int
    """The same, of a source that has somebody else under it."""
    doubt: Doubt | None
    """Why nothing new is released, whatever the rules say."""
    doubles: int
    """Second names that are still to be erased."""
    values: tuple[str, ...] | None
    """The merged ones, only where they were asked for."""


@dataclass(frozen=True, slots=True)
class Trace:
    """All there is to say; `asked` is what the operator typed."""

    asked: str
    provider: str
    at: datetime
    partition: int
    written_at: datetime
    kind: str | None
    keys: Keys
    sources: tuple[SourceLine, ...]
    contracts: tuple[ContractTrace, ...]
    left_out: str | None
    """Why there is no pseudonym, and so no delivery."""


Delivery = Callable[[str, Pair], tuple[str, Whereabouts]]
"""From a pair and its last word to the pseudonym and how far it has come."""


class Asked(NamedTuple):
    """The question, and what was found of the person."""

    subject: str
    provider: str
    at: datetime
    values: bool
    key: str
    partition: int
    written_at: datetime
    known: Subject
    approved: frozenset[str] = frozenset()
    """`<provider>/<contract>` of which an operator lets go what a change erases of everybody at once."""
    counted: Counted | None = None


def trace(asked: Asked, policy: ProviderPolicy | None, delivery: Delivery | None, left_out: str | None) -> Trace:
    """Put it together, from the filter's own functions; `policy` is none where none is in force."""
    terms = {term.pair: term for term in terms_of(policy, policy_digest(policy), asked.counted)} if policy else {}
    mine = {name: pair for name, pair in asked.known.pairs.items() if name.startswith(f"{asked.provider}/")}
    bare = {asked.provider: Named(policy_digest(policy), policy.version)} if policy and not policy.contracts else {}
    keys = _keys(asked)
    decisions = decide_pairs(
        asked.key, asked.known, terms, asked.at, _last_seq(mine.values()),
        bare=bare, approved=asked.approved, stale=keys.doubt,
    )  # fmt: skip
    now = {each.pair: each for each in (decisions.decided if decisions else ())}
    person = person_of(asked.key, asked.known, moment_of(asked.at))
    contracts = [
        _contract(person, asked, name, terms.get(name), mine.get(name), now.get(name), delivery)
        for name in dict.fromkeys((*terms, *mine))
    ]
    return Trace(
        asked.subject, asked.provider, asked.at, asked.partition, asked.written_at, person.kind if person else None,
        keys, tuple(_sources(asked)), tuple(contracts), left_out,
    )  # fmt: skip


def _keys(asked: Asked) -> Keys:
    identity = asked.known.particulars.identity
    return Keys(
        merged=len(identity.merged),
        awaited=sum(1 for seq in identity.claims.values() if seq > 0),
        refused=sum(1 for seq in identity.claims.values() if seq < 0),
        doubt=doubt_of(asked.key, asked.known, other_ine(asked.key, asked.known)),
        doubles=sum(1 for double in identity.doubles if double.pair.startswith(f"{asked.provider}/")),
        values=identity.merged if asked.values else None,
    )


def _last_seq(pairs: Iterable[Pair]) -> int:
    return max((pair.seq for pair in pairs), default=0)


def _contract(  # noqa: PLR0917  # what is known of one pair
    person: Person | None, asked: Asked, name: str, term: Terms | None, fence: Pair | None, now: Decided | None,
    delivery: Delivery | None,
) -> ContractTrace:  # fmt: skip
    pseudonym, whereabouts = delivery(name, fence) if delivery and fence else (None, None)
    if term is None or person is None:
        contract, named = (term.contract, term.named) if term else (None, None)
        return ContractTrace(name, contract, named, None, None, {}, now, fence, pseudonym, whereabouts)
    asked_of = inquire(person, term, moment_of(asked.at), delivered=fence is not None)
    return ContractTrace(
        name, term.contract, term.named, asked_of.scope, asked_of.explanation, asked_of.traces, now, fence, pseudonym,
        whereabouts, asked_of.place,
    )  # fmt: skip


def _sources(asked: Asked) -> Iterable[SourceLine]:
    picked = asked.known.picked
    for source, image in sorted(asked.known.images.items()):
        yield _source(source, image, picked=picked is not None and picked[0] == source, values=asked.values)


def _source(source: str, image: Image, *, picked: bool, values: bool) -> SourceLine:
    return SourceLine(
        source, picked, image.category, image.version, image.deleted, tuple(image.attributes), dict(image.patched),
        dict(image.attributes) if values else None,
    )  # fmt: skip


def version_of(text: str) -> Version:
    day, export, number = text.split(".")
    return Version(f"{day[:4]}-{day[4:6]}-{day[6:]}", "complete" if export == _COMPLETE else "delta", int(number))


def issued_at(fence: Pair) -> datetime:
    """When the filter gave this `seq`: its microseconds, unless it was one more than another."""
    return datetime.fromtimestamp(fence.seq / 1_000_000, UTC)
