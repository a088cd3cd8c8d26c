"""The filter: folds what it is told into what it knows, decides for every contract, sends the differences."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import takewhile

from services.contract.account import Account
from services.contract.audit import Stage
from services.contract.envelope import binary
from services.contract.errors import Unreadable
from services.contract.heartbeats import Heartbeat
from services.contract.policies import day_in_paris
from services.contract.topology import (
    CHANGES,
    CONSENTS,
    FILTERING_AUDIT,
    FILTERING_STATE,
    LINKS,
    MOVES,
    UNLINKS,
    WITHDRAWALS,
)
from services.filtering import expiry
from services.filtering.deciding import HELD
from services.filtering.docket import Docket
from services.filtering.freshness import Staleness, staleness
from services.filtering.gazetteer import Gazetteer
from services.filtering.gazetteer_file import load_gazetteer
from services.filtering.generalisation import Counted
from services.filtering.receiving import Receiving
from services.filtering.rotation import CURSOR, ROTATED_A_SECOND, Cursor, cursor_of, dump
from services.filtering.subject import SUBJECT, load
from services.filtering.terms import Contracts, Named, terms_of
from services.runtime.outbox import Outbox
from services.runtime.policies import PolicyBook
from services.runtime.records import Record

DUE_AT_ONCE = 500
"""How many whose time has come, or whom staleness held, are decided in one step: erasures come between two."""
AGAIN_US = 60_000_000
"""When somebody is tried again who could not be decided when her time had come."""
VOUCHED_US = 5_000_000
"""How often the account says what the heartbeats do: it is kept for a year."""


class FilteringAgent:
    """May these providers know this, now?"""

    stage: Stage = "filtering"
    group = "sanctuaire-filtering"
    lanes: tuple[str, ...] = (CONSENTS, UNLINKS, MOVES, LINKS, CHANGES)
    express = 3
    changelog = FILTERING_STATE
    audit = FILTERING_AUDIT
    swept = SUBJECT

    def __init__(
        self, policies: PolicyBook, fresh_seconds: float = 30.0, gazetteer: Callable[[], Gazetteer] = load_gazetteer
    ) -> None:
        """`gazetteer` reads the table of communes; it is asked once a census lets an address be seen."""
        self._policies = policies
        self._counted = Counted(policies.census, gazetteer)
        self._bound_us = int(fresh_seconds * 1_000_000)
        self._applied_until: dict[int, int] = {}
        self._vouched: dict[int, int] = {}
        self._contracts: tuple[bytes, Contracts] = (b"", Contracts({}, {}, {}))
        self._order = policies.keys

    def contracts(self) -> Contracts:
        """Every contract in the book; prepared anew when the book changes."""
        book = self._policies
        token = book.token() + self._counted.census.token()
        if self._contracts[0] != token or self._order is not book.keys:
            self._order = book.keys
            known = [book.by_provider[name] for name in sorted(book.by_provider)]
            serials = {one.policy.provider: book.serial_of(one.policy.provider) for one in known}
            terms = [
                term
                for one in known
                for term in terms_of(one.policy, one.digest, self._counted, serials[one.policy.provider])
            ]
            bare = {
                one.policy.provider: Named(one.digest, one.policy.version, serials[one.policy.provider])
                for one in known
                if not one.policy.contracts
            }
            contracts = Contracts.of(terms, bare)
            self._contracts = (token, contracts._replace(terms=Docket(contracts.terms)))
        return self._contracts[1]

    def policy_versions(self) -> dict[str, int]:
        return self._policies.versions()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        outbox.load([SUBJECT + record.key for record in records if record.key])
        # What comes on the ordinary lane of links comes of a sweep, or lets somebody be known.
        deciding = self._deciding(outbox, account, express=records[0].topic != LINKS)
        for record in records:
            try:
                deciding.take(record)
            except Unreadable as error:
                outbox.quarantine(record, error.code, str(error))
        deciding.close()

    async def tick(self, outbox: Outbox, account: Account) -> bool:
        """Decide again whose time has come, say up to when all that families decided is applied, and take up who waits.

        The account's offsets are the numbers of those people. While the time of more of them has come, nothing is said;
        and who are as many as a step takes are taken back on the ordinary lane, as by a sweep.
        """
        due = self._due(outbox, 1) and self._due(outbox, DUE_AT_ONCE)
        more = len(due) == DUE_AT_ONCE
        if due:
            people = [expiry.due_of(key)[1] for key in due]
            outbox.load([SUBJECT + key.encode() for key in people])
            deciding = self._deciding(outbox, account, express=not more)
            for number, (state_key, key) in enumerate(zip(due, people, strict=True)):
                outbox.put(state_key, None)
                if not deciding.take_up(key.encode(), number):
                    outbox.put(expiry.key_of(outbox.now_us + AGAIN_US, key), b"")
            deciding.close()
            account.count(len(people))
        if not more:
            self._vouch(outbox, account)
        self._rotate(outbox, account)
        return self._take_up(outbox, account) or more

    def _rotate(self, outbox: Outbox, account: Account) -> None:
        """Name some more people as they are to be named now: as many a second, so that none of the day's work waits."""
        order = self._policies.keys
        if order is None or self.stale(outbox):
            return
        cursor = cursor_of(outbox.get(CURSOR), order.announced)
        if cursor.after is None:
            return
        found = outbox.scan(SUBJECT, ROTATED_A_SECOND, cursor.after or None)
        deciding = self._deciding(outbox, account, express=False, rotating=True)
        for number, (state_key, _) in enumerate(found, account.records):
            deciding.take_up(state_key[len(SUBJECT) :], number)
        deciding.close()
        account.count(len(found))
        after = found[-1][0] if len(found) == ROTATED_A_SECOND else None
        outbox.put(CURSOR, dump(Cursor(order.announced, cursor.done + len(found), after)))

    def _take_up(self, outbox: Outbox, account: Account) -> bool:
        """Decide again some of whom staleness held, once all is fresh; whether more of them wait."""
        if self.stale(outbox):
            return False
        held = [entry[len(HELD) :] for entry, _ in outbox.scan(HELD, DUE_AT_ONCE)]
        outbox.load([SUBJECT + key for key in held])
        deciding = self._deciding(outbox, account, express=False)
        for number, key in enumerate(held, account.records):
            outbox.put(HELD + key, None)
            deciding.take_up(key, number)
        deciding.close()
        account.count(len(held))
        return len(held) == DUE_AT_ONCE

    def _deciding(self, outbox: Outbox, account: Account, *, express: bool, rotating: bool = False) -> Receiving:
        contracts, order = self.contracts(), self._policies.keys
        return Receiving(
            contracts, outbox, account, express=express, approved=self._policies.approved, stale=self.stale(outbox),
            serial=order.latest if order else 0, rotating=rotating,
        )  # fmt: skip

    def stale(self, outbox: Outbox) -> Staleness | None:
        """Why nothing may be released in this partition now."""
        until = [outbox.reached.until_us.get(lane) for lane in (CONSENTS, MOVES)]
        known = [each for each in until if each is not None]
        if len(known) == len(until):
            # Only a hint of how far the state is: it outlives no process, and an older one merely holds more.
            self._applied_until[outbox.partition] = min(known)
        applied_until = self._applied_until.get(outbox.partition)
        return staleness(outbox.now_us, applied_until, self._policies.confirmed_us, self._bound_us)

    @staticmethod
    def _due(outbox: Outbox, limit: int) -> list[bytes]:
        """The first of those whose time has come, as the index has them."""
        entries = (key for key, _ in outbox.scan(expiry.DUE, limit))
        return list(takewhile(lambda key: expiry.due_of(key)[0] <= outbox.now_us, entries))

    def _vouch(self, outbox: Outbox, account: Account) -> None:
        """The heartbeat; none, while something waits that may take somebody back (architecture.md, The sequence)."""
        reached = [outbox.reached.until_us.get(lane) for lane in (CONSENTS, UNLINKS, MOVES)]
        known = [each for each in reached if each is not None]
        if len(known) < len(reached):
            return
        applied_until = min(known)
        until = datetime.fromtimestamp(applied_until / 1_000_000, UTC)
        beat = Heartbeat(partition=outbox.partition, applied_until=until)
        headers = binary("filtering", "heartbeat", f"{outbox.partition}.{applied_until}")
        outbox.send(WITHDRAWALS, None, beat.model_dump_json().encode(), headers)
        # One that is not committed is said again: as in `stale`, a hint is enough.
        if not 0 <= applied_until - self._vouched.get(outbox.partition, -VOUCHED_US) < VOUCHED_US:
            self._vouched[outbox.partition] = applied_until
            account.vouch(until, outbox.reached.ends)

    def sweep_token(self, now: datetime) -> bytes:
        """Everybody is decided again at midnight in Paris (birthdays, authority, ends), on an approval, on a census."""
        approved = "".join(f"+{pair}" for pair in sorted(self._policies.approved))
        census = self._counted.census.token()
        return self._policies.token_on(day_in_paris(now)) + approved.encode() + (b"#" + census if census else b"")

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        """Decide again whoever is known; the account's offsets then number the subjects of the chunk."""
        deciding = self._deciding(outbox, account, express=False)
        for number, (state_key, raw) in enumerate(entries):
            deciding.decide(state_key[len(SUBJECT) :].decode(), load(raw), number)
        deciding.close()
