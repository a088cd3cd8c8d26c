"""The filter: folds changes and consents into what it knows, decides for every contract, sends the differences."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from services.contract.audit import Account, Stage
from services.contract.changes import MAX_CHANGE_BYTES, Change, read_change
from services.contract.consents import ConsentDecision
from services.contract.envelope import binary, body
from services.contract.errors import KeyMismatch, Unreadable
from services.contract.heartbeats import Heartbeat
from services.contract.identifiers import canonical_ine
from services.contract.parsing import parse_payload
from services.contract.policies import day_in_paris
from services.contract.topology import (
    CHANGES,
    CONSENTS,
    FILTERING_AUDIT,
    FILTERING_STATE,
    RELEASES,
    WITHDRAWALS,
)
from services.filtering.case import Named, Terms, terms_of
from services.filtering.docket import Docket
from services.filtering.emission import decide_pairs
from services.filtering.subject import Folded, Subject, dump, fold, load, take
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record

SUBJECT = b"s/"
LAST_SEQ = b"~seq"
EVERY_CONTRACT = "-"


class FilteringAgent:
    """May these providers know this, now?"""

    stage: Stage = "filtering"
    group = "sanctuaire-filtering"
    lanes: tuple[str, ...] = (CONSENTS, CHANGES)
    changelog = FILTERING_STATE
    audit = FILTERING_AUDIT
    swept = SUBJECT

    def __init__(self, policies: PolicyBook) -> None:
        self._policies = policies
        self._terms: tuple[bytes, Mapping[str, Terms], Mapping[str, Named]] = (b"", {}, {})

    def terms(self) -> tuple[Mapping[str, Terms], Mapping[str, Named]]:
        """Every contract in the book, by pair, and the providers without any; prepared anew when the book changes."""
        token = self._policies.token()
        if self._terms[0] != token:
            prepared = [
                term
                for name in sorted(self._policies.by_provider)
                for term in terms_of(self._policies.by_provider[name].policy, self._policies.by_provider[name].digest)
            ]
            self._terms = (token, Docket({term.pair: term for term in prepared}), self._bare())
        return self._terms[1:]

    def policy_versions(self) -> Mapping[str, int]:
        return self._policies.versions()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        outbox.load([SUBJECT + record.key for record in records if record.key])
        deciding = _Deciding(self, outbox, account)
        for record in records:
            try:
                deciding.take(record)
            except Unreadable as error:
                outbox.quarantine(record, error.code, str(error))
        deciding.close()

    def _bare(self) -> Mapping[str, Named]:
        """Providers whose policy names no contract any more: what they still have is to be erased."""
        return {
            name: Named(known.digest, known.policy.version)
            for name, known in self._policies.by_provider.items()
            if not known.policy.contracts
        }

    async def tick(self, outbox: Outbox, account: Account) -> bool:  # noqa: ARG002  # a heartbeat is no input
        """Say up to when every consent is applied; nothing, while one waits (architecture.md, The sequence)."""
        until_us = outbox.reached.until_us.get(CONSENTS)
        if until_us is not None:
            beat = Heartbeat(
                partition=outbox.partition, applied_until=datetime.fromtimestamp(until_us / 1_000_000, UTC)
            )
            headers = binary("filtering", "heartbeat", f"{outbox.partition}.{until_us}")
            outbox.send(WITHDRAWALS, None, beat.model_dump_json().encode(), headers)
        return False

    def sweep_token(self, now: datetime) -> bytes:
        """At midnight in Paris everybody is decided again: birthdays, and contracts that end."""
        return self._policies.token_on(day_in_paris(now))

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        """Decide again whoever is known; the account's offsets then number the subjects of the chunk."""
        deciding = _Deciding(self, outbox, account, lane=RELEASES)
        for number, (state_key, raw) in enumerate(entries):
            deciding.decide(state_key[len(SUBJECT) :].decode(), load(raw), number)
        deciding.close()


class _Deciding:
    """One batch on its way: one instant, one set of policies, and the `seq` last issued in this partition."""

    def __init__(self, agent: FilteringAgent, outbox: Outbox, account: Account, lane: str = WITHDRAWALS) -> None:
        self._outbox = outbox
        self._lane = lane
        """Of withdrawals: a sweep's may be everybody's, and must not stand before one family's."""
        self._end = account.end
        self._terms, self._bare = agent.terms()
        self._now = outbox.now
        self._before = self._issued = int(outbox.get(LAST_SEQ) or 0)

    def take(self, record: Record) -> None:
        key = _key_of(record)
        known = load(self._outbox.get(SUBJECT + key.encode()))
        raw = body(record.value, record.headers, MAX_CHANGE_BYTES)
        folded: Folded
        if record.topic == CONSENTS:
            decision = parse_payload(ConsentDecision, raw, MAX_CHANGE_BYTES)
            if decision.subject != key:
                raise KeyMismatch("key: not the subject of the decision")
            subject, folded = take(known, decision)
        else:
            change, said = read_change(raw)
            if change.entity != "person":
                self._end(record.offset, EVERY_CONTRACT, "withheld", "reference-data")
                return
            _check_key(key, change, known)
            subject, folded = fold(known, change, said)
        if folded in {"superseded", "duplicate"}:
            self._end(record.offset, EVERY_CONTRACT, "refused", folded)
            return
        self.decide(key, subject, record.offset)

    def decide(self, key: str, subject: Subject, offset: int) -> None:
        decisions = decide_pairs(key, subject, self._terms, self._now, self._issued, bare=self._bare)
        if decisions is None:
            self._outbox.put(SUBJECT + key.encode(), dump(subject))
            self._end(offset, EVERY_CONTRACT, "held", "no-image" if subject.images else "subject-unknown")
            return
        self._outbox.put(SUBJECT + key.encode(), dump(decisions.subject))
        if not decisions.decided:
            self._end(offset, EVERY_CONTRACT, "held", "policy-not-here")
        for decided in decisions.decided:
            self._end(offset, decided.pair, decided.end, decided.reason)
            if decided.emission is not None:
                emission = decided.emission
                self._outbox.send(
                    RELEASES if emission.payload == "release" else self._lane,
                    key.encode(),
                    emission.value,
                    binary(
                        "filtering", emission.payload, f"{self._outbox.partition}.{emission.contract}.{emission.seq}"
                    ),
                )
        self._issued = decisions.seq

    def close(self) -> None:
        """Keep the last `seq`, once for the whole batch."""
        if self._issued != self._before:
            self._outbox.put(LAST_SEQ, str(self._issued).encode())


def _key_of(record: Record) -> str:
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        raise KeyMismatch("key: not UTF-8") from None
    if not key:
        raise KeyMismatch("key: absent")
    return key


def _check_key(key: str, change: Change, known: Subject) -> None:
    """A person's key is her INE, or the id that this source gives her, or what an image of hers came under."""
    if key == f"{change.source}:{change.id}":
        return
    image = known.images.get(change.source)
    if image is not None and image.id == change.id:
        return
    ine = canonical_ine(change.attributes.ine)
    if change.kind == "upsert" and ine != key:
        raise KeyMismatch("key: neither the INE nor the id of the change")
    if ine != key and canonical_ine(key) != key:
        raise KeyMismatch("key: of another person")
