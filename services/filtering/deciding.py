"""One batch on its way: who is concerned is decided for every contract, and what differs goes into the outbox."""

from collections.abc import Container
from typing import Final

from services.contract.audit import Account
from services.contract.changes import MAX_CHANGE_BYTES
from services.contract.envelope import binary, body
from services.contract.errors import KeyMismatch, Unreadable
from services.contract.topology import LINKS, RELEASES, UNLINKS, WITHDRAWALS
from services.filtering import expiry
from services.filtering.case import Contracts
from services.filtering.emission import Decisions, decide_pairs
from services.filtering.folding import fold_in
from services.filtering.freshness import Staleness
from services.filtering.likeness import moment_of
from services.filtering.linking import relink
from services.filtering.subject import SUBJECT, Subject, dump, load
from services.runtime import journal
from services.runtime.agent import NotYet
from services.runtime.outbox import Outbox, OutputTooLarge
from services.runtime.records import Record

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
        self._end = account.end
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

    def take(self, record: Record) -> None:
        """Take one record in, and decide again whom it tells of.

        Raises:
            Unreadable: it is to be put aside.
        """
        key = _key_of(record)
        known = load(self._outbox.get(SUBJECT + key.encode()))
        raw = body(record.value, record.headers, MAX_CHANGE_BYTES)
        subject, folded = fold_in(record.topic, key, raw, known)
        if subject is None:
            self._end(record.offset, EVERY_CONTRACT, "withheld", "reference-data")
        elif folded in {"superseded", "duplicate"}:
            self._end(record.offset, EVERY_CONTRACT, "refused", folded)
        else:
            self.decide(key, subject, record.offset)

    def decide(self, key: str, subject: Subject, offset: int) -> None:
        """Decide on one person, and remember her as she then is."""
        contracts = self._contracts
        decisions = decide_pairs(
            key, subject, contracts.terms, self._now, self._issued,
            bare=contracts.bare, approved=self._approved, stale=self._stale, rotating=self._rotating,
        )  # fmt: skip
        if decisions is None:
            self._keep(key, subject)
            self._end(offset, EVERY_CONTRACT, "held", "no-image" if subject.images else "subject-unknown")
            return
        self._issued, subject = decisions.seq, decisions.subject
        if subject.particulars.linked or (contracts.linking and decisions.person.kind == "pupil"):
            subject = self._relink(decisions)
        self._keep(key, subject)
        if not decisions.decided:
            self._end(offset, EVERY_CONTRACT, "held", "policy-not-here")
        if self._stale and any(decided.reason == self._stale for decided in decisions.decided):
            self._outbox.put(HELD + key.encode(), b"1")
        for decided in decisions.decided:
            self._end(offset, decided.pair, decided.end, decided.reason)
            if decided.emission is not None:
                emission = decided.emission
                self._outbox.send(
                    RELEASES if emission.payload in {"release", "renaming"} else self._withdrawals,
                    key.encode(),
                    emission.value,
                    binary(
                        "filtering", emission.payload, f"{self._outbox.partition}.{emission.contract}.{emission.seq}"
                    ),
                )

    def take_up(self, key: bytes, number: int) -> None:
        """Decide one person again; if that fails she stays as she is, and holds up neither others nor the heartbeat."""
        start = self._outbox.savepoint()
        try:
            self.decide(key.decode(), load(self._outbox.get(SUBJECT + key)), number)
        except Exception as error:  # noqa: BLE001  # as the runtime does for a record
            self._outbox.rollback(start)
            code = error.code if isinstance(error, Unreadable | OutputTooLarge) else "unexpected"
            self._end(number, EVERY_CONTRACT, "held", code)
            journal.emit(journal.FAILED, stage="filtering", kind=type(error).__name__, where=journal.where(error))

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

    def _keep(self, key: str, subject: Subject) -> None:
        """Remember her, and when time alone will have her decided again."""
        before = subject.particulars.due_us
        if subject.consents or before is not None or subject.particulars.restrictions:
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


def _key_of(record: Record) -> str:
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        raise KeyMismatch("key: not UTF-8") from None
    if not key:
        raise KeyMismatch("key: absent")
    return key
