"""The connector's loop: what came is read, then told within one round; so is what has waited long enough."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import takewhile

from services.connectors import freshness, waiting
from services.connectors.provider import Provider
from services.connectors.reading import MAX_OPERATION_BYTES, read_express, read_operation, word_kept
from services.connectors.telling import Telling
from services.connectors.terms import Terms
from services.connectors.words import Word
from services.contract.account import Account
from services.contract.audit import Stage
from services.contract.envelope import body
from services.contract.errors import Unreadable
from services.contract.heartbeats import Heartbeat
from services.contract.policies import day_in_paris
from services.contract.topology import CONNECTORS_AUDIT, CONNECTORS_STATE, OPERATIONS, PROVIDER_WITHDRAWALS, named_for
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record

FLUSHED = 2000
"""How many waiting words a tick tells at most: erasures come between two ticks."""


class ConnectorAgent:
    """Tells one provider; one process a provider."""

    stage: Stage = "connectors"
    audit = CONNECTORS_AUDIT
    express = 1
    swept = waiting.AWAITS_POLICIES

    def __init__(self, name: str, provider: Provider, policies: PolicyBook) -> None:
        self._name = name
        self._provider = provider
        self._policies = policies
        self._terms = Terms(None, date.min)
        self.group = f"sanctuaire-connectors-{name}"
        self.changelog = named_for(CONNECTORS_STATE, name)
        self._express = named_for(PROVIDER_WITHDRAWALS, name)
        self.lanes: tuple[str, ...] = (self._express, named_for(OPERATIONS, name))

    def policy_versions(self) -> Mapping[str, int]:
        return self._policies.versions()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        words: list[tuple[int, Word]] = []
        last: dict[bytes, Word] = {}
        vouches = False
        for record in records:
            try:
                word = self._read(record, outbox.partitions)
            except Unreadable as error:
                outbox.quarantine(record, error.code, str(error))
                continue
            if isinstance(word, Heartbeat):
                outbox.put(freshness.key_of(word.partition), freshness.dump(word))
                account.count(-1)
                # They come of all the filter's partitions, in turn: the account of one round is enough.
                vouches = vouches or word.partition == outbox.partition
                continue
            words.append((record.offset, word))
            known = last.get(word.place)
            if known is None or word.seq > known.seq:
                last[word.place] = word
        telling = self._telling(outbox, account)
        telling.load(list(last.values()))
        backlog, express = bool(outbox.reached.backlog), records[0].topic == self._express
        for offset, word in words:
            latest = last[word.place]
            if word is latest:
                telling.hear(offset, word, backlog=backlog, express=express)
            else:
                telling.end(offset, word, "duplicate" if word.seq == latest.seq else "superseded")
        if vouches and (until := freshness.applied_until(outbox.get, outbox.partitions)) is not None:
            account.vouch(until, outbox.reached.ends)
        await telling.tell()

    def _read(self, record: Record, partitions: int) -> Word | Heartbeat:
        raw = body(record.value, record.headers, MAX_OPERATION_BYTES)
        if record.topic == self._express:
            return read_express(raw, record.key, self._name, partitions)
        return read_operation(raw, record.key, self._name)

    def _telling(self, outbox: Outbox, account: Account) -> Telling:
        known = self._policies.by_provider.get(self._name)
        policy, day = known.policy if known else None, day_in_paris(outbox.now)
        if policy is not self._terms.policy or day != self._terms.day:
            self._terms = Terms(policy, day)
        return Telling(self._provider, self._terms, outbox, account)

    async def tick(self, outbox: Outbox, account: Account) -> bool:
        """Tell some of what has waited long enough, in the order of its keys; once a backlog is read, and while fresh.

        The account's offsets are the words' numbers, from 0.
        """
        telling = self._telling(outbox, account)
        if outbox.reached.backlog or not telling.is_fresh:
            return False
        entries = outbox.scan(waiting.WAITING, FLUSHED)
        due = takewhile(lambda entry: waiting.is_due(waiting.until_of(entry[0]), outbox.now_us), entries)
        words = [(key, word_kept(waiting.load(value).operation)) for key, value in due]
        telling.load([word for _, word in words])
        for number, (key, word) in enumerate(words):
            telling.flush(number, key, word)
        account.count(len(words))
        await telling.tell()
        return len(words) == FLUSHED

    def sweep_token(self, now: datetime) -> bytes:
        return self._policies.token_on(day_in_paris(now))

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        """Let go on what the policies refused and now allow."""
        telling = self._telling(outbox, account)
        words = [word_kept(waiting.load(value).operation) for _, value in entries]
        telling.load(words)
        for number, word in enumerate(words):
            telling.allow(number, word)
