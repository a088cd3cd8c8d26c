"""What is prepared once for all emissions of one manner: their names, their topics, and whether anything may go."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from services.contract.policies import ProviderPolicy, refusal, releasable
from services.contract.reasons import StageCode
from services.contract.topology import OPERATIONS, PROVIDER_WITHDRAWALS, named_for
from services.pseudonymisation.fields import LISTED, RELAY, Renaming
from services.pseudonymisation.pseudonym import RELAY_LABEL, Names, Pseudonymiser


@dataclass(frozen=True, slots=True)
class Ruling:
    """Contract, places and the closed field list of one policy on one day (architecture.md, defence in depth)."""

    policy: ProviderPolicy
    day: date
    code: StageCode | None
    allowed: frozenset[str]

    def refusal(self, fields: dict[str, Any]) -> StageCode | None:
        if self.code is None and not all(name in self.allowed for name in fields):
            return "field-not-in-contract"
        return self.code


def rule(policy: ProviderPolicy, contract_id: str, perimeter: str, day: date) -> Ruling:
    contract = policy.contract(contract_id)
    if policy.perimeter.id != perimeter or contract is None:
        return Ruling(policy, day, "contract-not-in-force", frozenset())
    return Ruling(policy, day, refusal(policy, contract_id, day), releasable(policy, contract) & LISTED)


NamesBefore = tuple[bytes, ...]
"""By which names the provider may have her still, oldest first; nothing, but while names change."""
Operation = tuple[bytes, bytes]
"""What a connector is to do: the id under which it leaves, and its bytes. Plain tuples: a record costs so little that a
class would show."""


@dataclass(frozen=True, slots=True)
class Former:
    """The names of before, under which the provider may still know somebody."""

    names: Pseudonymiser
    persons: Names

    def pseudonym(self, emission: Mapping[str, Any]) -> bytes:
        """In ASCII."""
        return self.persons.written(emission["named_by"]["value"])


class Terms:
    """One contract of one provider, for persons who are named in one way and whose fields come from one source."""

    def __init__(
        self, emission: Mapping[str, Any], names: Pseudonymiser, renaming: Renaming,
        former: tuple[Pseudonymiser, ...] = (),
    ) -> None:  # fmt: skip
        """Prepare for the manner of this emission."""
        self.provider: str = emission["provider"]
        self.contract: str = emission["contract"]
        self.pair = f"{self.provider}/{self.contract}"
        self.operations = named_for(OPERATIONS, self.provider)
        self.withdrawals = named_for(PROVIDER_WITHDRAWALS, self.provider)
        named_by = emission["named_by"]
        self.place = f"{self.pair}/".encode()
        """With a pseudonym after it: a pair's own key in the state."""
        kind = named_by["entity_class"], named_by["namespace"], named_by["type"]
        self._persons = names.names(*kind)
        self._aliases = names.names(*kind, RELAY_LABEL)
        self.former = tuple([Former(each, each.names(*kind)) for each in former])
        """Empty but while names change."""
        self._names = names
        self._renaming = renaming
        self._ruling: Ruling | None = None
        self._before_pseudonym = _opened({"provider": self.provider, "contract": self.contract}, "pseudonym")
        self._before_event = _more(
            {"policy": emission["policy"], "policy_version": emission["policy_version"]}, "event_id"
        )
        self._before_fields = b'","kind":' + orjson.dumps(emission.get("kind")) + b',"fields":'

    def pseudonym(self, emission: Mapping[str, Any]) -> bytes:
        """In ASCII."""
        return self._persons.written(emission["named_by"]["value"])

    def ruling(self, policy: ProviderPolicy, perimeter: str, day: date) -> Ruling:
        """What this policy says on this day; judged anew when either is another."""
        known = self._ruling
        if known is None or known.policy is not policy or known.day != day:
            known = self._ruling = rule(policy, self.contract, perimeter, day)
        return known

    def upsert(
        self, release: Mapping[str, Any], pseudonym: bytes, relay_domain: str | None, before: NamesBefore = ()
    ) -> Operation:
        """The bytes of an `Upsert`, as its model writes them.

        Raises:
            NotAnIdentifier: a school or a group of hers has no name to give.
        """
        seq, fields = release["seq"], release["fields"]
        event_id = self._names.event(pseudonym, seq)
        relay = self._relay(release["named_by"], relay_domain) if RELAY in fields else None
        seen = orjson.dumps(self._renaming.renamed(fields, relay))
        return event_id, b'%b%b","seq":%d%b%b%b%b%b}' % (
            self._before_pseudonym, pseudonym, seq, self._before_event, event_id, self._before_fields, seen,
            _from(before) if before else b"",
        )  # fmt: skip

    def delete(self, withdrawal: Mapping[str, Any], pseudonym: bytes, before: NamesBefore = ()) -> Operation:
        """The bytes of a `Delete`, as its model writes them."""
        event_id, opened = self._bare(withdrawal["seq"], pseudonym)
        return event_id, b"%b%b}" % (opened, _from(before) if before else b"")

    def delete_former(self, withdrawal: Mapping[str, Any], pseudonym: bytes, former: Former) -> Operation:
        """As above, of a name of before."""
        event_id, opened = self._bare(withdrawal["seq"], pseudonym, former.names)
        return event_id, opened + b"}"

    def restrict(self, restriction: Mapping[str, Any], pseudonym: bytes, before: NamesBefore = ()) -> Operation:
        """The bytes of a `Restrict`, as its model writes them."""
        event_id, opened = self._bare(restriction["seq"], pseudonym)
        return event_id, b'%b,"restricted":true%b}' % (opened, _from(before) if before else b"")

    def rotate(self, emission: Mapping[str, Any], old: bytes, new: bytes, former: Former) -> Operation:
        """The bytes of a `Rotated`, as its model writes them."""
        event_id, opened = self._bare(emission["seq"], old, former.names)
        return event_id, b'%b,"renamed_to":"%b"}' % (opened, new)

    def adopt(self, emission: Mapping[str, Any], pseudonym: bytes, before: NamesBefore) -> Operation:
        """The bytes of an `Adopted`, as its model writes them; its `seq` leaves room for a release that is parked."""
        event_id, opened = self._bare(emission["seq"] - 1, pseudonym)
        return event_id, b'%b,"adopted":true%b}' % (opened, _from(before))

    def _bare(self, seq: int, pseudonym: bytes, names: Pseudonymiser | None = None) -> Operation:
        """What every operation has; `names` are those of before, for a pseudonym of theirs."""
        event_id = (names or self._names).event(pseudonym, seq)
        return event_id, b'%b%b","seq":%d%b%b"' % (
            self._before_pseudonym, pseudonym, seq, self._before_event, event_id,
        )  # fmt: skip

    def _relay(self, named_by: Mapping[str, Any], domain: str | None) -> str | None:
        return domain and self._aliases.alias(named_by["value"], domain)


def _from(before: NamesBefore) -> bytes:
    return b',"renamed_from":["%b"]' % b'","'.join(before)


def _opened(parts: Mapping[str, Any], text: str) -> bytes:
    """A JSON object up to where the text of one more member begins."""
    return orjson.dumps({**parts, text: ""}).removesuffix(b'"}')


def _more(parts: Mapping[str, Any], text: str) -> bytes:
    """The same in the middle of one."""
    return b"," + _opened(parts, text).removeprefix(b"{")
