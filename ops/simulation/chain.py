"""The way of one person through the three stages, for one provider: decided, renamed, and told.

Each step is the stage's own function; what a stage would refuse is refused here too, with its code.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from services.connectors.providers.topic.mapping import value_of
from services.connectors.reading import read_operation
from services.connectors.terms import Terms as ConnectorTerms
from services.contract.audit import End
from services.contract.errors import NotAnIdentifier
from services.contract.links import MAX_LINK_BYTES, Link
from services.contract.parsing import parse_payload
from services.contract.policies import ProviderPolicy, day_in_paris, policy_digest
from services.contract.reasons import StageCode
from services.filtering.docket import Decided
from services.filtering.emission import decide_pairs
from services.filtering.likeness import moment_of
from services.filtering.linking import relink
from services.filtering.subject import Subject
from services.filtering.terms import Contracts, Named, terms_of
from services.pseudonymisation.keyring import Keyring, KeySource
from services.pseudonymisation.manners import Manners


class Seen(NamedTuple):
    """What the provider would read under a pseudonym: the bytes of a `ProviderRecord`."""

    pseudonym: str
    record: bytes


class Outcome(NamedTuple):
    """How one person ended under one contract, and what the provider sees of her, if anything."""

    decided: Decided
    end: End
    reason: str
    seen: Seen | None


class Chain:
    """One policy at one instant, under one keyring."""

    def __init__(self, policy: ProviderPolicy, keyring: Keyring, now: datetime) -> None:
        digest = policy_digest(policy)
        self._policy = policy
        self._now = now
        self._day = day_in_paris(now)
        serial = keyring.serial_of(policy.provider)
        bare = {} if policy.contracts else {policy.provider: Named(digest, policy.version, serial)}
        self._contracts = Contracts.of(terms_of(policy, digest, key_serial=serial), bare)
        self._manners = Manners(KeySource.of(keyring))
        self._connector = ConnectorTerms(policy, self._day)
        self._seq = 0

    @property
    def links(self) -> bool:
        """Whether any contract covers guardians, who are known only while a pupil links them."""
        return bool(self._contracts.linking)

    def links_of(self, key: str, subject: Subject) -> Sequence[Link]:
        """What a pupil lets be known of her guardians, once she is decided."""
        decisions = decide_pairs(key, subject, self._contracts.terms, self._now, self._seq)
        if decisions is None:
            return ()
        moment = moment_of(self._now)
        told = relink(decisions.subject, decisions.person, self._contracts.linking, moment, decisions.seq)
        self._seq = told.seq
        return tuple(parse_payload(Link, word.value, MAX_LINK_BYTES) for word in told.words)

    def follow(self, key: str, subject: Subject) -> Iterator[Outcome] | None:
        """What becomes of a person under every contract; null where no source has shown who it is."""
        contracts = self._contracts
        decisions = decide_pairs(key, subject, contracts.terms, self._now, self._seq, bare=contracts.bare)
        if decisions is None:
            return None
        self._seq = decisions.seq
        return (self._outcome(key, decided) for decided in decisions.decided)

    def _outcome(self, key: str, decided: Decided) -> Outcome:
        if decided.emission is None:
            return Outcome(decided, decided.end, decided.reason, None)
        try:
            seen = self._see(key, decided.emission.value)
        except NotAnIdentifier as error:
            return Outcome(decided, "refused", error.code, None)
        if isinstance(seen, Seen):
            return Outcome(decided, decided.end, decided.reason, seen)
        return Outcome(decided, "refused", seen, None)

    def _see(self, key: str, raw: bytes) -> Seen | StageCode:
        release, terms = self._manners.read(raw, key.encode())
        ruling = terms.ruling(self._policy, self._manners.perimeter, self._day)
        if code := ruling.refusal(release["fields"]):
            return code
        pseudonym = terms.pseudonym(release)
        _, operation = terms.upsert(release, pseudonym, self._policy.relay_domain)
        word = read_operation(operation, pseudonym, self._policy.provider)
        if refusal := self._connector.of(word).refusal:
            return refusal
        contract = self._policy.contract(word.contract)
        record = value_of(word, contract.purpose if contract else "")
        return Seen(pseudonym.decode(), record or b"null")
