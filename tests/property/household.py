"""A pupil and her guardian in partitions of their own, and every order in which what they are told can come.

A link may come as late as it likes, before or after another, and twice; all orders are gone through, none by chance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from services.contract.changes import Change
from services.contract.errors import Payload
from services.contract.links import Link
from services.contract.policies import ProviderPolicy, policy_digest
from services.contract.topology import CHANGES, CONSENTS, LINKS
from services.filtering.emission import decide_pairs
from services.filtering.folding import fold_in
from services.filtering.likeness import moment_of
from services.filtering.linking import relink
from services.filtering.subject import NOBODY, Subject, dump
from services.filtering.terms import Contracts, terms_of
from tests.replay.invented import bytes_of

NOW = datetime(2026, 9, 15, 8, tzinfo=UTC)
View = Mapping[str, Mapping[str, str]]
"""Person → pair → the digest of what the provider has of her."""


class Told(NamedTuple):
    """One input: to whom, and what."""

    key: str
    payload: Payload


@dataclass(frozen=True)
class Household:
    """What each partition knows, and which links are still on their way."""

    contracts: Contracts
    people: Mapping[str, Subject] = field(default_factory=dict)
    seqs: Mapping[str, int] = field(default_factory=dict)
    links: tuple[Told, ...] = ()

    def hear(self, told: Told, copies: int = 1) -> "Household":
        """Take one input in, and decide; every person has a partition of her own."""
        key, payload = told
        topic = LINKS if isinstance(payload, Link) else CHANGES if isinstance(payload, Change) else CONSENTS
        subject, folded = fold_in(topic, key, bytes_of(payload), self.people.get(key, NOBODY))
        assert subject is not None
        decisions = None
        if folded not in {"superseded", "duplicate"}:
            decisions = decide_pairs(key, subject, self.contracts.terms, NOW, self.seqs.get(key, 0))
        if decisions is None:
            return replace(self, people={**self.people, key: subject})
        words = relink(decisions.subject, decisions.person, self.contracts.linking, moment_of(NOW), decisions.seq)
        links = [Told(word.guardian, Link.model_validate_json(word.value)) for word in words.words]
        return replace(
            self,
            people={**self.people, key: words.subject},
            seqs={**self.seqs, key: words.seq},
            links=(*self.links, *links * copies),
        )

    def state(self, rest: Sequence[Told]) -> object:
        """What all that follows depends on."""
        people = frozenset((key, dump(subject)) for key, subject in self.people.items())
        links, inputs = (sorted((one.key, bytes_of(one.payload)) for one in told) for told in (self.links, rest))
        return people, frozenset(self.seqs.items()), tuple(links), tuple(inputs)

    @property
    def view(self) -> View:
        """What every provider has in the end."""
        known = {
            key: {name: pair.digest for name, pair in subject.pairs.items() if pair.last != "erase"}
            for key, subject in self.people.items()
        }
        return {key: pairs for key, pairs in known.items() if pairs}


def household(*policies: ProviderPolicy) -> Household:
    terms = [term for each in policies for term in terms_of(each, policy_digest(each))]
    return Household(Contracts.of(terms, {}))


def all_views(start: Household, inputs: Sequence[Told], copies: int = 1) -> list[View]:
    """Every different end that there is, for every order of the inputs and of the links that come of them.

    Of each link so many copies are on their way, each in every place where it can be.
    """
    seen: set[object] = set()
    ends: list[View] = []
    open_: list[tuple[Household, tuple[Told, ...]]] = [(start, tuple(inputs))]
    while open_:
        at, rest = open_.pop()
        if (state := at.state(rest)) in seen:
            continue
        seen.add(state)
        if not rest and not at.links and at.view not in ends:
            ends.append(at.view)
        open_ += [(at.hear(told, copies), _without(rest, n)) for n, told in enumerate(rest)]
        open_ += [
            (replace(at, links=_without(at.links, n)).hear(told, copies), rest) for n, told in enumerate(at.links)
        ]
    return ends


def _without(told: tuple[Told, ...], place: int) -> tuple[Told, ...]:
    return told[:place] + told[place + 1 :]
