"""One batch on its way: who is concerned is decided for every contract, and what differs goes into the outbox."""

from collections.abc import Container
from typing import Final

from services.contract.account import Account
from services.contract.envelope import binary
from services.contract.errors import Unreadable
from services.contract.moves import Claim, Merged
from services.contract.releases import MAX_SUBJECT
from services.contract.topology import LINKS, MOVES, RELEASES, UNLINKS, WITHDRAWALS
from services.filtering import expiry
from services.filtering.doubles import take_back_doubles
from services.filtering.emission import Decisions, decide_pairs
from services.filtering.freshness import Staleness
from services.filtering.identity import SOLE
from services.filtering.likeness import moment_of
from services.filtering.linking import relink
from services.filtering.merging import Doubt, answer_claims, claims_to_make, doubt_of, other_ine, with_identity
from services.filtering.school_type import school_type_of
from services.filtering.sending import Emission
from services.filtering.subject import SUBJECT, Subject, dump, load
from services.filtering.terms import Contracts
from services.runtime import journal
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox, OutputTooLarge

LAST_SEQ: Final = b"~seq"
HELD: Final = b"h/"
"""Where the state keeps who was not released because something was stale: under this, then her key."""
EVERY_CONTRACT: Final = "-"


class Deciding:
    """One instant, one set of policies, and the `seq` last issued in this partition."""

    def __init__(  # noqa: PLR0913  # what a batch is decided in, and under
        self, contracts: Contracts, outbox: Outbox, account: Account, *,
        express: bool, approved: Container[str], stale: Staleness | None, serial: int = 0, rotating: bool = False,
    ) -> None:  # fmt: skip
        """`express`: what is taken back overtakes a backlog; it may not where it may be everybody's, as in a sweep.

        `serial` is the latest of the names in force; `approved`, `stale` and `rotating` are as in `decide_pairs`.

        Raises:
            NotYet: this partition was decided before under names that have not come here.
        """
        self._approved = approved
        self._stale = stale
        self._outbox = outbox
        self._account = account
        self._contracts = contracts
        self._withdrawals, self._unlinks = (WITHDRAWALS, UNLINKS) if express else (RELEASES, LINKS)
        self._now = outbox.now
        self._rotating = rotating
        # The later names of a partition are never left again: under names of before, somebody would be known twice.
        issued, _, named = (outbox.get(LAST_SEQ) or b"0").partition(b" ")
        if (known := int(named or 0)) > serial:
            raise NotYet("policy-not-here")
        self._before = int(issued), known
        self._issued, self._serial = int(issued), serial

    def decide(
        self, key: str, subject: Subject, offset: int, *, known: Subject | None = None, anew: bool = False
    ) -> None:
        """Decide on one person, and remember her as she then is; `anew` says her under the names of now.

        `known` is she as she was kept, if that was in this partition and she is told of once more.
        """
        doubt: Doubt | None = None
        shown = other_ine(key, subject)
        if shown is not None or subject.particulars.identity is not SOLE:
            if subject.particulars.identity.kept is not None:
                self._account.end(offset, EVERY_CONTRACT, "held", "known-elsewhere")
                return
            subject = self._settle(key, subject, shown)
            doubt = doubt_of(key, subject, shown)
        contracts = self._contracts
        decisions = decide_pairs(
            key, subject, contracts.terms, self._now, self._issued,
            bare=contracts.bare, approved=self._approved, stale=self._stale or doubt, rotating=self._rotating or anew,
        )  # fmt: skip
        if decisions is None:
            self._keep(key, subject, known)
            self._account.end(offset, EVERY_CONTRACT, "held", "no-image" if subject.images else "subject-unknown")
            return
        self._issued, subject = decisions.seq, decisions.subject
        if subject.particulars.linked or (contracts.linking and decisions.person.kind == "pupil"):
            subject = self._relink(decisions)
        self._keep(key, subject, known)
        if not decisions.decided:
            self._account.end(offset, EVERY_CONTRACT, "held", "policy-not-here")
        if self._stale and any(decided.reason == self._stale for decided in decisions.decided):
            self._outbox.put(HELD + key.encode(), b"1")
        self._give_account(key, subject, decisions, offset)

    def _give_account(self, key: str, subject: Subject, decisions: Decisions, offset: int) -> None:
        """Say how it ended for every contract, and send what follows."""
        account, level = self._account, decisions.person.values.get("level")
        school = school_type_of(level) if level else None
        if school is not None:
            account.school(offset, school)
        for decided in decisions.decided:
            account.end(offset, decided.pair, decided.end, decided.reason)
            if decided.emission is not None:
                if decided.dropped:
                    account.drop(decided.pair, school, decided.dropped)
                self._send(key, subject.particulars.identity.homes.get(decided.pair, key), decided.emission)

    def _send(self, key: str, home: str, emission: Emission) -> None:
        """Into this partition, or into that of the key under which the pair began: the later stages know it there."""
        topic = RELEASES if emission.payload in {"release", "renaming"} else self._withdrawals
        headers = binary("filtering", emission.payload, f"{self._outbox.partition}.{emission.contract}.{emission.seq}")
        if home == key:
            self._outbox.send(topic, key.encode(), emission.value, headers)
        else:
            self._outbox.send_to(home.encode(), topic, emission.value, headers)

    def _settle(self, key: str, subject: Subject, shown: str | None) -> Subject:
        """Say what follows from `shown`, an INE that is not her key, and from what other partitions have said."""
        for ine, on in claims_to_make(key, subject, shown):
            seq = self._next_seq()
            identity = subject.particulars.identity._replace(claimed=(ine, seq) if on else None)
            subject = with_identity(subject, identity)
            if len(key) <= MAX_SUBJECT:  # of a longer one nothing is ever released
                self._tell(ine, "claim", Claim(dropped=key, kept=ine, on=on, seq=seq).model_dump_json().encode())
        subject, right = answer_claims(subject)
        for dropped, seq in right.items():
            self._tell(dropped, "merged", Merged(dropped=dropped, kept=key, seq=seq).model_dump_json().encode())
        subject, erasures, self._issued = take_back_doubles(
            subject, self._contracts, moment_of(self._now), self._issued
        )
        for home, emission in erasures:
            self._send(key, home, emission)
        return subject

    def _tell(self, key: str, payload: str, value: bytes) -> None:
        """Say something to the partition of another key of hers."""
        headers = binary("filtering", payload, f"{self._outbox.partition}.{self._next_seq()}")
        self._outbox.send_to(key.encode(), MOVES, value, headers)

    def _next_seq(self) -> int:
        self._issued = max(self._issued + 1, self._outbox.now_us)
        return self._issued

    def take_up(self, key: bytes, number: int) -> bool:
        """Decide one person again; if that fails she stays as she is, and holds up neither others nor the heartbeat."""
        start = self._outbox.savepoint()
        try:
            self.decide(key.decode(), load(self._outbox.get(SUBJECT + key)), number)
        except Exception as error:  # noqa: BLE001  # as the runtime does for a record
            self._outbox.rollback(start)
            code = error.code if isinstance(error, Unreadable | OutputTooLarge) else "unexpected"
            self._account.end(number, EVERY_CONTRACT, "held", code)
            journal.emit(journal.FAILED, stage="filtering", kind=type(error).__name__, where=journal.where(error))
            return False
        return True

    def _relink(self, decisions: Decisions) -> Subject:
        """Say to her guardians' partitions what has changed for them."""
        moment = moment_of(self._now)
        linked = relink(decisions.subject, decisions.person, self._contracts.linking, moment, self._issued)
        self._issued = linked.seq
        for word in linked.words:
            self._outbox.send_to(
                word.guardian.encode(), LINKS if word.on else self._unlinks, word.value,
                binary("filtering", "link", f"{self._outbox.partition}.{word.seq}"),
            )  # fmt: skip
        return linked.subject

    def _keep(self, key: str, subject: Subject, known: Subject | None = None) -> None:
        """Remember her, and when time alone will have her decided again."""
        before = subject.particulars.due_us
        stays = known is not None and expiry.stays_due(subject, known, self._outbox.now_us)
        if not stays and (subject.consents or before is not None or subject.particulars.restrictions):
            due = expiry.next_due(subject, self._outbox.now_us)
            if due != before:
                subject = subject.knowing(subject.particulars._replace(due_us=due))
                if before is not None:
                    self._outbox.put(expiry.key_of(before, key), None)
                if due is not None:
                    self._outbox.put(expiry.key_of(due, key), b"")
        self._outbox.put(SUBJECT + key.encode(), dump(subject))

    def close(self) -> None:
        """Keep the last `seq`, and the latest names, once for the whole batch."""
        if self._before != (self._issued, self._serial):
            self._outbox.put(
                LAST_SEQ, f"{self._issued} {self._serial}".encode() if self._serial else b"%d" % self._issued
            )
