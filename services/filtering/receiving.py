"""From a record to the person whom it tells of, wherever she is remembered; then she is decided."""

import orjson

from services.contract.changes import MAX_CHANGE_BYTES
from services.contract.envelope import binary, body
from services.contract.errors import KeyMismatch
from services.contract.moves import MAX_MOVE_BYTES, Claim, Forwarded, Merged, Moved, read_move
from services.contract.topology import LINKS, MOVES
from services.filtering import expiry
from services.filtering.deciding import EVERY_CONTRACT, HELD, Deciding
from services.filtering.folding import fold_in
from services.filtering.linking import link_value
from services.filtering.merging import absorb, handed_over, hear_claim, other_ine, state_of
from services.filtering.subject import SUBJECT, Subject, dump, load
from services.runtime.agent import NotYet
from services.runtime.records import Record


class Receiving(Deciding):
    """What a batch tells, record by record."""

    def take(self, record: Record) -> None:
        """Take one record in, and decide again whom it tells of.

        Raises:
            Unreadable: it is to be put aside.
        """
        key = _key_of(record)
        if record.topic == MOVES:
            self._take_move(key, body(record.value, record.headers, MAX_MOVE_BYTES), record.offset)
        else:
            self._hear(key, record.topic, key, body(record.value, record.headers, MAX_CHANGE_BYTES), record.offset)

    def _hear(self, key: str, topic: str, under: str, raw: bytes, offset: int) -> None:
        """Take in what came `under` a key that is hers, if not the one under which she is remembered."""
        known = self._known(key)
        subject, folded = fold_in(topic, under, raw, known)
        if subject is None:
            self._account.end(offset, EVERY_CONTRACT, "withheld", "reference-data")
        elif known.particulars.identity.kept is not None:
            self._forward(key, known.particulars.identity.kept, topic, raw)
            self._account.end(offset, EVERY_CONTRACT, "held", "known-elsewhere")
        elif folded in {"superseded", "duplicate"}:
            self._account.end(offset, EVERY_CONTRACT, "refused", folded)
        else:
            self.decide(key, subject, offset, known=known)

    def _forward(self, dropped: str, kept: str, topic: str, raw: bytes) -> None:
        """Hand on what came too late for here, byte for byte: it has just been found readable."""
        forwarded = {"dropped": dropped, "kept": kept, "topic": topic, "record": orjson.Fragment(raw)}
        self._tell(kept, "forwarded", orjson.dumps(forwarded))

    def _take_move(self, key: str, raw: bytes, offset: int) -> None:
        move = read_move(raw)
        if key != (move.dropped if isinstance(move, Merged) else move.kept):
            raise KeyMismatch("key: not the one that is told")
        match move:
            case Claim():
                self._take_claim(key, move, offset)
            case Merged():
                self._hand_over(key, move, offset)
            case Moved():
                self._take_over(key, move, offset)
            case Forwarded():
                self._hear(key, move.topic, move.dropped, orjson.dumps(dict(move.record)), offset)

    def _take_claim(self, key: str, claim: Claim, offset: int) -> None:
        subject, folded = hear_claim(self._known(key), claim)
        if folded != "changed":
            self._account.end(offset, EVERY_CONTRACT, "refused", folded)
        elif claim.on:
            subject = self._settle(key, subject, other_ine(key, subject))
            self._keep(key, subject)
            is_right = subject.particulars.identity.claims[claim.dropped] > 0
            self._account.end(offset, EVERY_CONTRACT, "held", "merge-under-way" if is_right else "one-ine-twice")
        else:
            self.decide(key, subject, offset)

    def _hand_over(self, key: str, merged: Merged, offset: int) -> None:
        """Let a person go to her INE's partition, with all that is known of her here."""
        known = self._known(key)
        identity = known.particulars.identity
        if identity.claimed != (merged.kept, merged.seq):
            done = identity.kept == merged.kept
            self._account.end(offset, EVERY_CONTRACT, "refused", "duplicate" if done else "superseded")
            return
        moved = {
            "dropped": key, "kept": merged.kept, "seq": merged.seq, "issued": self._issued,
            "state": orjson.Fragment(state_of(known)),
        }  # fmt: skip
        self._tell(merged.kept, "moved", orjson.dumps(moved))
        if known.particulars.due_us is not None:
            self._outbox.put(expiry.key_of(known.particulars.due_us, key), None)
        self._outbox.put(HELD + key.encode(), None)
        self._outbox.put(SUBJECT + key.encode(), dump(handed_over(merged.kept)))
        self._account.end(offset, EVERY_CONTRACT, "held", "known-elsewhere")

    def _take_over(self, key: str, moved: Moved, offset: int) -> None:
        """Know a person by what another key's partition knew too, and decide her whole.

        Raises:
            NotYet: she is known under names that have not come here.
        """
        subject, other, folded = absorb(self._known(key), moved)
        if folded != "changed":
            self._account.end(offset, EVERY_CONTRACT, "refused", folded)
            return
        if any(pair.serial > self._serial for pair in other.pairs.values()):
            raise NotYet("policy-not-here")  # by names of before, somebody would be known twice
        self._issued = max(self._issued, moved.issued)
        # Everybody here may have been gone over already, and she only now comes.
        self.decide(key, subject, offset, anew=True)
        self._end_links(self._known(key), other, moved.dropped)

    def _end_links(self, subject: Subject, other: Subject, dropped: str) -> None:
        """End what linked guardians under the dropped key: behind what links them now, so that none falls between."""
        said = subject.particulars.linked
        for guardian, pairs in other.particulars.linked.items():
            for pair in pairs:
                seq = self._next_seq()
                topic = LINKS if pair in said.get(guardian, ()) else self._unlinks
                self._outbox.send_to(
                    guardian.encode(), topic, link_value(guardian, dropped, pair, seq, on=False),
                    binary("filtering", "link", f"{self._outbox.partition}.{seq}"),
                )  # fmt: skip

    def _known(self, key: str) -> Subject:
        return load(self._outbox.get(SUBJECT + key.encode()))


def _key_of(record: Record) -> str:
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        raise KeyMismatch("key: not UTF-8") from None
    if not key:
        raise KeyMismatch("key: absent")
    return key
