"""What a set of policies would change for everybody that the filter remembers: a dry run of its own pure functions.

Counts only: nothing here says who. In memory there is a short digest of each person's key, and only of those for whom
there is something to count.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from ops.policy_files import Policies
from services.contract.policies import policy_digest
from services.filtering.asking import GUARDED
from services.filtering.docket import Decided
from services.filtering.emission import decide_pairs
from services.filtering.generalisation import Counted
from services.filtering.guard import Everything
from services.filtering.subject import SUBJECT, Subject, load
from services.filtering.terms import Named, Terms, terms_of

Kind = Literal["gain", "lose", "keep"]
DIGEST_OCTETS = 8


class Fate(NamedTuple):
    """What becomes of one person at one provider, by which rule, and whether it is other than it was."""

    provider: str
    kind: Kind
    reason: str
    changed: bool = False
    """Kept, with other fields than before."""
    waits: bool = False
    """Lost once an operator approves it."""


Fates = tuple[Fate, ...]


@dataclass(slots=True)
class Count:
    """The persons of one provider, by what becomes of them and why."""

    gain: Counter[str] = field(default_factory=Counter)
    lose: Counter[str] = field(default_factory=Counter)
    keep: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    waits: int = 0

    def add(self, fate: Fate, times: int) -> None:
        by_reason: Counter[str] = {"gain": self.gain, "lose": self.lose, "keep": self.keep}[fate.kind]
        by_reason[fate.reason] += times
        self.changed += times * fate.changed
        self.waits += times * fate.waits

    @property
    def share_lost(self) -> float:
        """Of those whom the provider has."""
        has = self.lose.total() + self.keep.total()
        return self.lose.total() / has if has else 0.0


class Comparison:
    """Counts over the filter's changelog, in which a later entry of a key replaces an earlier one."""

    def __init__(self, policies: Policies, now: datetime, counted: Counted | None = None) -> None:
        digests = {name: policy_digest(policy) for name, policy in policies.items()}
        self._terms: Mapping[str, Terms] = {
            term.pair: term for name in sorted(policies) for term in terms_of(policies[name], digests[name], counted)
        }
        self._bare = {
            name: Named(digests[name], policy.version) for name, policy in policies.items() if not policy.contracts
        }
        self._now = now
        self._known: dict[bytes, Fates] = {}
        self._shared: dict[Fates, Fates] = {}
        self._subjects = 0
        self.waiting: set[str] = set()
        """`<provider>/<contract>` of which somebody would be held by the deletion guard."""
        self.counts: dict[str, Count] = {name: Count() for name in sorted(policies)}

    @property
    def subjects(self) -> int:
        """For how many persons there was something to count."""
        return self._subjects + len(self._known)

    def take(self, key: bytes, value: bytes | None) -> None:
        """One entry of the partition at hand; null takes the key's entry away."""
        if not key.startswith(SUBJECT):
            return
        digest = hashlib.blake2b(key, digest_size=DIGEST_OCTETS).digest()
        self._count(self._known.pop(digest, ()), -1)
        if value is not None and (fates := self._fates(key[len(SUBJECT) :].decode(), load(value))):
            self._known[digest] = self._shared.setdefault(fates, fates)
            self._count(fates, 1)

    def end_partition(self) -> None:
        """No key of it comes again in another one: forget them."""
        self._subjects += len(self._known)
        self._known.clear()

    def _count(self, fates: Fates, times: int) -> None:
        for fate in fates:
            self.counts.setdefault(fate.provider, Count()).add(fate, times)

    def _fates(self, key: str, subject: Subject) -> Fates:
        # Without a digest everything looks new, and so says by which rule it is released.
        blank = subject.told({name: pair._replace(digest="") for name, pair in subject.pairs.items()})
        asked = decide_pairs(key, blank, self._terms, self._now, 0, bare=self._bare, approved=Everything())
        if asked is None:
            return ()
        fates = [
            _fate(provider, subject, asked.subject, [d for d in asked.decided if _provider(d.pair) == provider])
            for provider in dict.fromkeys(_provider(d.pair) for d in asked.decided)
        ]
        found = [fate for fate in fates if fate is not None]
        if any(fate.kind == "lose" for fate in found):
            waiting = self._waiting(key, subject)
            found = [fate._replace(waits=fate.kind == "lose" and fate.provider in waiting) for fate in found]
        return tuple(found)

    def _waiting(self, key: str, subject: Subject) -> frozenset[str]:
        """The providers of whom something would be held by the deletion guard."""
        asked = decide_pairs(key, subject, self._terms, self._now, 0, bare=self._bare)
        pairs = [each.pair for each in asked.decided if each.reason == GUARDED] if asked else []
        self.waiting.update(pairs)
        return frozenset(map(_provider, pairs))


def _provider(pair: str) -> str:
    return pair.partition("/")[0]


def _fate(provider: str, before: Subject, after: Subject, decided: Iterable[Decided]) -> Fate | None:
    """What becomes of a person at a provider; null where it has her neither before nor after."""
    gained: Decided | None = None
    kept: Decided | None = None
    lost: Decided | None = None
    for each in decided:
        pair = before.pairs.get(each.pair)
        has = pair is not None and pair.last != "erase"
        if each.end == "released" and not has:
            gained = gained or each
        elif has and each.end == "erased":
            lost = lost or each
        elif has:
            kept = kept or each
    if kept is not None:
        changed = kept.end == "released" and before.pairs[kept.pair].digest != after.pairs[kept.pair].digest
        return Fate(provider, "keep", kept.reason, changed=changed)
    if lost is not None:
        # Under another contract she stays.
        return Fate(provider, "lose", lost.reason) if gained is None else Fate(provider, "keep", gained.reason, True)
    return None if gained is None else Fate(provider, "gain", gained.reason)
