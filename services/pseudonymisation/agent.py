"""The pseudonymiser: gives every release and withdrawal the provider's own names, after checking it once more."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from services.contract.audit import Account, Stage
from services.contract.envelope import binary, body
from services.contract.errors import NoKey, NotAnIdentifier, Unreadable
from services.contract.naming import NamedBy
from services.contract.operations import Delete, Operation, Pseudonym, Upsert
from services.contract.parsing import parse_payload
from services.contract.policies import day_in_paris, refusal, releasable
from services.contract.reasons import StageCode
from services.contract.releases import Emission, Release, Withdrawal
from services.contract.topology import (
    OPERATIONS,
    PROVIDER_WITHDRAWALS,
    PSEUDONYMISATION_AUDIT,
    PSEUDONYMISATION_STATE,
    RELEASES,
    WITHDRAWALS,
    named_for,
)
from services.pseudonymisation.fields import LISTED, renamed
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox
from services.runtime.policies import InForce, PolicyBook
from services.runtime.records import Record

MAX_EMISSION_BYTES = 512 * 1024
SEQ = b"q/"
PARKED = b"p/"


class PseudonymisationAgent:
    """Under which name does this provider know this person?"""

    stage: Stage = "pseudonymisation"
    group = "sanctuaire-pseudonymisation"
    lanes: tuple[str, ...] = (WITHDRAWALS, RELEASES)
    changelog = PSEUDONYMISATION_STATE
    audit = PSEUDONYMISATION_AUDIT
    swept = PARKED

    def __init__(self, policies: PolicyBook, keyring: Keyring) -> None:
        self._policies = policies
        self._keyring = keyring
        self._keys: dict[tuple[str, str], Pseudonymiser] = {}

    def policy_versions(self) -> Mapping[str, int]:
        return self._policies.versions()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        for record in records:
            try:
                emission = _read(record)
                self._take(emission, outbox, account, record.offset)
            except (Unreadable, NotAnIdentifier) as error:
                outbox.quarantine(record, error.code, str(error))

    def _take(self, emission: Emission, outbox: Outbox, account: Account, offset: int) -> None:
        names = self._names(emission.provider, emission.purpose_family)
        pseudonym = _name(names, emission.named_by)
        place = f"{emission.provider}/{emission.contract}/{pseudonym}".encode()
        pair = f"{emission.provider}/{emission.contract}"
        if stale := _stale(outbox.get(SEQ + place), emission.seq):
            account.end(offset, pair, "refused", stale)
            return
        if isinstance(emission, Release):
            in_force = self._policy(emission)
            if code := self._refusal(emission, in_force, outbox):
                outbox.put(SEQ + place, str(emission.seq).encode())
                outbox.put(PARKED + place, emission.model_dump_json().encode())
                account.end(offset, pair, "refused", code)
                return
            self._upsert(emission, in_force, names, pseudonym, outbox)
            account.end(offset, pair, "released", "renamed")
        else:
            _send(_delete(emission, names, pseudonym), outbox)
            account.end(offset, pair, "erased", "renamed")
        outbox.put(SEQ + place, str(emission.seq).encode())
        if outbox.get(PARKED + place) is not None:
            outbox.put(PARKED + place, None)

    def _names(self, provider: str, family: str) -> Pseudonymiser:
        if (provider, family) not in self._keys:
            try:
                key = self._keyring.provider_key(self._keyring.perimeter, provider, family)
            except NoKey:
                raise NotYet("no-key") from None
            self._keys[provider, family] = Pseudonymiser.under(key)
        return self._keys[provider, family]

    def _policy(self, release: Release) -> InForce:
        """The policy in force here; a release decided under a newer one waits for it."""
        known = self._policies.by_provider.get(release.provider)
        if known is None or known.policy.version < release.policy_version:
            raise NotYet("policy-not-here")
        return known

    def _refusal(self, release: Release, in_force: InForce, outbox: Outbox) -> StageCode | None:
        """Contract, places and the closed field list, checked again (architecture.md, defence in depth)."""
        policy = in_force.policy
        contract = policy.contract(release.contract)
        if policy.perimeter.id != self._keyring.perimeter or contract is None:
            return "contract-not-in-force"
        if code := refusal(policy, release.contract, day_in_paris(outbox.now)):
            return code
        return None if release.fields.keys() <= (releasable(policy, contract) & LISTED) else "field-not-in-contract"

    def _upsert(
        self, release: Release, in_force: InForce, names: Pseudonymiser, pseudonym: Pseudonym, outbox: Outbox
    ) -> None:
        named_by, domain = release.named_by, in_force.policy.relay_domain
        relay = domain and names.relay_alias(
            named_by.entity_class, named_by.namespace, named_by.type, named_by.value, domain
        )
        fields = renamed(
            release.fields, release.source, self._keyring.perimeter, lambda named: _name(names, named), relay
        )
        operation = Upsert(
            provider=release.provider, contract=release.contract, pseudonym=pseudonym, seq=release.seq,
            policy=release.policy, policy_version=release.policy_version,
            event_id=names.event_id(pseudonym, release.seq), kind=release.kind, fields=fields,
        )  # fmt: skip
        _send(operation, outbox)

    async def tick(self, outbox: Outbox, account: Account) -> None:
        """Nothing yet."""

    def sweep_token(self, now: datetime) -> bytes:
        return self._policies.token_on(day_in_paris(now))

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        """Try again what was refused under the policies of before."""
        for number, (key, raw) in enumerate(entries):
            release = parse_payload(Release, raw, MAX_EMISSION_BYTES)
            pair = f"{release.provider}/{release.contract}"
            in_force = self._policies.by_provider.get(release.provider)
            if in_force is None:  # taken back since; waiting for it would keep the others parked
                account.end(number, pair, "refused", "policy-not-here")
                continue
            if code := self._refusal(release, in_force, outbox):
                account.end(number, pair, "refused", code)
                continue
            names = self._names(release.provider, release.purpose_family)
            self._upsert(release, in_force, names, _name(names, release.named_by), outbox)
            outbox.put(key, None)
            account.end(number, pair, "released", "renamed")


def _read(record: Record) -> Emission:
    raw = body(record.value, record.headers, MAX_EMISSION_BYTES)
    return parse_payload(Withdrawal if record.topic == WITHDRAWALS else Release, raw, MAX_EMISSION_BYTES)


def _name(names: Pseudonymiser, named_by: NamedBy) -> Pseudonym:
    return names.pseudonym(named_by.entity_class, named_by.namespace, named_by.type, named_by.value)


def _stale(known: bytes | None, seq: int) -> StageCode | None:
    if known is None or seq > int(known):
        return None
    return "duplicate" if seq == int(known) else "superseded"


def _delete(withdrawal: Emission, names: Pseudonymiser, pseudonym: Pseudonym) -> Delete:
    return Delete(
        provider=withdrawal.provider, contract=withdrawal.contract, pseudonym=pseudonym, seq=withdrawal.seq,
        policy=withdrawal.policy, policy_version=withdrawal.policy_version,
        event_id=names.event_id(pseudonym, withdrawal.seq),
    )  # fmt: skip


def _send(operation: Operation, outbox: Outbox) -> None:
    template = OPERATIONS if isinstance(operation, Upsert) else PROVIDER_WITHDRAWALS
    outbox.send(
        named_for(template, operation.provider),
        operation.pseudonym.encode(),
        operation.model_dump_json().encode(),
        binary("pseudonymisation", "operation", operation.event_id),
    )
