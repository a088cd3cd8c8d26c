"""The pseudonymiser: gives every release, withdrawal and restriction the provider's own names, checked once more."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

from services.contract.account import Account
from services.contract.audit import Stage
from services.contract.envelope import binary, body
from services.contract.errors import NoKey, NotAnIdentifier, Unreadable
from services.contract.heartbeats import MAX_HEARTBEAT_BYTES, Heartbeat, read_heartbeat
from services.contract.policies import ProviderPolicy, day_in_paris
from services.contract.reasons import StageCode
from services.contract.topology import (
    PROVIDER_WITHDRAWALS,
    PSEUDONYMISATION_AUDIT,
    PSEUDONYMISATION_STATE,
    RELEASES,
    WITHDRAWALS,
    named_for,
)
from services.pseudonymisation.emission import (
    MAX_EMISSION_BYTES,
    PARKED,
    SEQ,
    is_release,
    is_renaming,
    is_restriction,
)
from services.pseudonymisation.keyring import KeySource
from services.pseudonymisation.leaving import Named, leave_former, living_before, parked_at, send
from services.pseudonymisation.manners import Manners
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record

HANDED_ON: Final = b"~heartbeat"
"""Where the state keeps the last heartbeat that was handed on: microseconds."""
HANDED_ON_US: Final = 5_000_000
"""A heartbeat goes from every partition to every other: as many as partitions squared. It is good for 30 s."""


class PseudonymisationAgent:
    """Under which name does this provider know this person?"""

    stage: Stage = "pseudonymisation"
    group = "sanctuaire-pseudonymisation"
    lanes: tuple[str, ...] = (WITHDRAWALS, RELEASES)
    express = 1
    changelog = PSEUDONYMISATION_STATE
    audit = PSEUDONYMISATION_AUDIT
    swept = PARKED

    def __init__(self, policies: PolicyBook, keys: KeySource) -> None:
        self._policies = policies
        self._manners = Manners(keys)

    def policy_versions(self) -> Mapping[str, int]:
        return self._policies.versions()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        self._handle(records, outbox, account)  # what waits for nothing costs less where nothing can

    def _handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        """Name everyone in the batch, so that all places to look up are known, then decide in its order."""
        named: list[Named] = []
        beat: Heartbeat | None = None
        for record in records:
            try:
                if record.key is None and (heard := _heartbeat(record)) is not None:
                    beat = heard
                    account.count(-1)
                    continue
                named.append(self._name(record))
            except (Unreadable, NotAnIdentifier) as error:
                outbox.quarantine(record, error.code, str(error))
        places = [each[-1] for each in named]
        outbox.load(places)
        # Nobody is parked without a `seq`: whoever is named for the first time costs no second look.
        outbox.load([parked_at(place) for place in places if outbox.get(place) is not None])
        day = day_in_paris(outbox.now)
        for each in named:
            try:
                self._take(each, outbox, account, day)
            except NotAnIdentifier as error:
                outbox.quarantine(each[0], error.code, str(error))
        if beat is not None:
            self._hand_on(beat, outbox, account)

    def _hand_on(self, beat: Heartbeat, outbox: Outbox, account: Account) -> None:
        """To every provider in every partition, behind what was withdrawn before it; at most once in `HANDED_ON_US`."""
        applied_us = int(beat.applied_until.timestamp() * 1_000_000)
        if 0 <= applied_us - int(outbox.get(HANDED_ON) or -HANDED_ON_US) < HANDED_ON_US:
            return
        outbox.put(HANDED_ON, b"%d" % applied_us)
        account.vouch(beat.applied_until, outbox.reached.ends)
        headers = binary("pseudonymisation", "heartbeat", f"{beat.partition}.{beat.applied_until.timestamp():.6f}")
        value = beat.model_dump_json().encode()
        for provider in self._policies.by_provider:
            outbox.send_everywhere(named_for(PROVIDER_WITHDRAWALS, provider), value, headers)

    def _name(self, record: Record) -> Named:
        raw = body(record.value, record.headers, MAX_EMISSION_BYTES)
        try:
            emission, terms = self._manners.read(raw, record.key)
        except NoKey:
            raise NotYet("no-key") from None
        pseudonym = terms.pseudonym(emission)
        return record, raw, emission, terms, pseudonym, SEQ + terms.place + pseudonym

    def _take(self, named: Named, outbox: Outbox, account: Account, day: date) -> None:
        record, raw, emission, terms, pseudonym, place = named
        seq = emission["seq"]
        said = outbox.get(place)
        known = 0 if said is None else int(said)
        if stale := _stale(abs(known), seq):
            account.end(record.offset, terms.pair, "refused", stale)
            return
        before = leave_former(named, outbox, is_known=said is not None) if terms.former else ()
        lives = known > 0 or bool(before)
        if is_release(emission):
            policy = self._policy(terms.provider, emission["policy_version"])
            if code := terms.ruling(policy, self._manners.perimeter, day).refusal(emission["fields"]):
                if before and said is None:
                    send(terms.operations, pseudonym, terms.adopt(emission, pseudonym, before), outbox)
                outbox.put(place, b"%d" % (seq if lives else -seq))
                outbox.put(parked_at(place), raw)
                account.end(record.offset, terms.pair, "refused", code)
                return
            send(terms.operations, pseudonym, terms.upsert(emission, pseudonym, policy.relay_domain, before), outbox)
            account.end(record.offset, terms.pair, "released", "renamed")
            lives = True
        elif is_renaming(emission):
            if before and said is None:
                send(terms.operations, pseudonym, terms.adopt(emission, pseudonym, before), outbox)
            account.end(record.offset, terms.pair, "held", "renamed")
            outbox.put(place, b"%d" % (seq if lives else -seq))
            return  # a release that was refused of her stays parked
        else:
            # On the lane it came on: a sweep's erasures may be everybody's.
            restricts = is_restriction(emission)
            express = record.topic == WITHDRAWALS or (restricts and bool(terms.former))
            topic = terms.withdrawals if express else terms.operations
            told = (terms.restrict if restricts else terms.delete)(emission, pseudonym, before)
            send(topic, pseudonym, told, outbox)
            account.end(record.offset, terms.pair, "held" if restricts else "erased", "renamed")
            lives = lives and restricts
        outbox.put(place, b"%d" % (seq if lives else -seq))
        if said is not None and outbox.get(parked_at(place)) is not None:
            outbox.put(parked_at(place), None)

    def _policy(self, provider: str, version: int) -> ProviderPolicy:
        """The policy in force here; a release decided under a newer one waits for it."""
        known = self._policies.by_provider.get(provider)
        if known is None or known.policy.version < version:
            raise NotYet("policy-not-here")
        return known.policy

    async def tick(self, outbox: Outbox, account: Account) -> bool:  # noqa: ARG002  # as every stage is asked
        """Nothing is due by time alone; but the keyring may be another."""
        self._manners.refresh()
        return False

    def sweep_token(self, now: datetime) -> bytes:
        return self._policies.token_on(day_in_paris(now))

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        """Try again what was refused under the policies of before."""
        day = day_in_paris(outbox.now)
        for number, (key, raw) in enumerate(entries):
            try:
                release, terms = self._manners.learn(raw)
            except NoKey:
                raise NotYet("no-key") from None
            in_force = self._policies.by_provider.get(terms.provider)
            if in_force is None:  # taken back since; waiting for it would keep the others parked
                account.end(number, terms.pair, "refused", "policy-not-here")
                continue
            policy = in_force.policy
            if code := terms.ruling(policy, self._manners.perimeter, day).refusal(release["fields"]):
                account.end(number, terms.pair, "refused", code)
                continue
            pseudonym, place = terms.pseudonym(release), SEQ + key[len(PARKED) :]
            before = living_before(release, terms, outbox) if terms.former else ()
            send(terms.operations, pseudonym, terms.upsert(release, pseudonym, policy.relay_domain, before), outbox)
            outbox.put(place, b"%d" % abs(int(outbox.get(place) or release["seq"])))  # now it lives there
            outbox.put(key, None)
            account.end(number, terms.pair, "released", "renamed")


def _heartbeat(record: Record) -> Heartbeat | None:
    if record.topic != WITHDRAWALS or len(record.value or b"") > MAX_HEARTBEAT_BYTES:
        return None
    return read_heartbeat(body(record.value, record.headers, MAX_HEARTBEAT_BYTES), record.partition)


def _stale(known: int, seq: int) -> StageCode | None:
    if seq > known:
        return None
    return "duplicate" if seq == known else "superseded"
