"""The policies in force, read whole from `policies.v1` by every process, outside any group."""

import asyncio
from dataclasses import dataclass
from datetime import date

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.contract.acts import APPROVAL_KEY, Approval, approved_of
from services.contract.census import CENSUS_KEY
from services.contract.censuses import CensusBook
from services.contract.errors import Unreadable
from services.contract.key_acts import KEYS_KEY, KeyOrder
from services.contract.parsing import parse_payload
from services.contract.policies import ProviderPolicy, change_set, policy_digest
from services.contract.topology import POLICIES
from services.runtime import journal
from services.runtime.settings import Settings

MAX_POLICY_BYTES = 512 * 1024


@dataclass(frozen=True, slots=True)
class InForce:
    """One provider's policy and the digest of its content."""

    policy: ProviderPolicy
    digest: str


class PolicyBook:
    """What is in force now, by provider. A record that cannot be read leaves the old policy where it was."""

    def __init__(self, stage: str) -> None:
        self._stage = stage
        self.by_provider: dict[str, InForce] = {}
        self._token: bytes | None = None
        self._approval: Approval | None = None
        self.keys: KeyOrder | None = None
        """Which names are in force; null where they never changed."""
        self.census = CensusBook()
        """Stays empty but at the filter, which alone generalises."""
        self.confirmed_us: int | None = None
        """At which instant all that was in force was here, last; null before it was ever so."""

    def apply(self, key: bytes | None, value: bytes | None) -> None:
        if key is not None and key.startswith(CENSUS_KEY):
            if self._stage == "filtering":
                self._count(key, value)
            return
        self._token = None
        provider = (key or b"").decode(errors="replace")
        try:
            if key == APPROVAL_KEY:
                self._approval = None if value is None else parse_payload(Approval, value, MAX_POLICY_BYTES)
                return
            if key == KEYS_KEY:
                if value is not None:  # what was named by a serial stays so
                    self.keys = parse_payload(KeyOrder, value, MAX_POLICY_BYTES)
                return
            if value is None:
                self._end(provider)
                return
            policy = parse_payload(ProviderPolicy, value, MAX_POLICY_BYTES)
        except Unreadable as error:
            journal.emit(journal.FAILED, stage=self._stage, kind=error.code, where=POLICIES)
            return
        known = self.by_provider.get(policy.provider)
        if policy.provider == provider and (known is None or policy.version > known.policy.version):
            self.by_provider[provider] = InForce(policy, policy_digest(policy))
            journal.emit(journal.POLICY_SEEN, stage=self._stage, provider=provider, version=policy.version)

    def _count(self, key: bytes, value: bytes | None) -> None:
        """A census is none of the policies: it changes neither their digests nor the set that an approval names."""
        try:
            self.census.apply(key, value)
        except Unreadable as error:
            journal.emit(journal.FAILED, stage=self._stage, kind=error.code, where=POLICIES)

    def _end(self, provider: str) -> None:
        """A policy that is taken back ends every contract: what was released under it is owed an erasure."""
        if known := self.by_provider.get(provider):
            ended = known.policy.model_copy(update={"contracts": (), "version": known.policy.version + 1})
            self.by_provider[provider] = InForce(ended, policy_digest(ended))

    def serial_of(self, provider: str) -> int:
        """Under which names this provider is told of anybody."""
        return self.keys.serial_of(provider) if self.keys else 0

    def versions(self) -> dict[str, int]:
        return {name: self.by_provider[name].policy.version for name in sorted(self.by_provider)}

    def token(self) -> bytes:
        """Names the whole set: it changes when, and only when, some policy's content does."""
        if self._token is None:
            self._token = change_set({name: known.digest for name, known in self.by_provider.items()}).encode()
        return self._token

    @property
    def approved(self) -> frozenset[str]:
        """As `approved_of` says of the last approval."""
        return approved_of(self._approval, self.token().decode())

    def token_on(self, day: date) -> bytes:
        """Names what a decision rests on: the whole set, and the day that its periods and ages are counted on."""
        return self.token() + b"@" + day.isoformat().encode()


class PolicyReader:
    """Keeps a book current, for as long as the process runs."""

    def __init__(self, book: PolicyBook, settings: Settings) -> None:
        self._book = book
        self._settings = settings
        self.caught_up = asyncio.Event()
        self.answered: int | None = None
        """Changes as long as the broker answers and this reader goes on."""

    async def run(self) -> None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._settings.kafka_bootstrap, isolation_level="read_committed",
            auto_offset_reset="earliest", enable_auto_commit=False, fetch_max_wait_ms=100,
        )  # fmt: skip
        tp = TopicPartition(POLICIES, 0)
        consumer.assign([tp])
        await consumer.start()
        try:
            await consumer.seek_to_beginning(tp)
            end = (await consumer.end_offsets([tp]))[tp]
            while True:
                # In this order: a fetch says both at once, and what it brought is applied before the next look.
                stable, self.answered = consumer.last_stable_offset(tp), consumer.last_poll_timestamp(tp)
                position = await consumer.position(tp)
                if position >= end:
                    self.caught_up.set()
                if self.answered is not None and stable is not None and position >= stable:
                    self._book.confirmed_us = self.answered * 1000
                for record in (await consumer.getmany(tp, timeout_ms=200)).get(tp, ()):
                    self._book.apply(record.key, record.value)
        finally:
            await consumer.stop()
