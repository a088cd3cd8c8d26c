"""How a word goes out; and while names change, what goes out beside it under those of before (decisions/0020)."""

from collections.abc import Mapping
from typing import Any, Final

from services.contract.envelope import binary_of, kind
from services.contract.topology import WITHDRAWALS
from services.pseudonymisation.emission import PARKED, SEQ, is_release, is_renaming, is_restriction
from services.pseudonymisation.rotation import Before, of_before, parked_anew, seq_kept
from services.pseudonymisation.terms import NamesBefore, Operation, Terms
from services.runtime.outbox import Outbox
from services.runtime.records import Record

_OPERATION: Final = kind("pseudonymisation", "operation")

Named = tuple[Record, bytes, Mapping[str, Any], Terms, bytes, bytes]
"""A record, its payload as bytes and as read, its terms, who it is there, and where the pair's `seq` is kept."""


def parked_at(place: bytes) -> bytes:
    """Where the state keeps a release that was refused, by where it keeps the pair's `seq`."""
    return PARKED + place[len(SEQ) :]


def send(topic: str, pseudonym: bytes, operation: Operation, outbox: Outbox) -> None:
    event_id, value = operation
    # By the pseudonym: who lies together here must not come together there (decisions/0017).
    outbox.send(topic, pseudonym, value, binary_of(_OPERATION, event_id), spread=True)


def living_before(emission: Mapping[str, Any], terms: Terms, outbox: Outbox) -> NamesBefore:
    """By which names of before the provider may have her still."""
    found = [(each, seq_kept(outbox.get(each.place))) for each in of_before(terms, emission, SEQ)]
    return tuple([each.pseudonym for each, seq in found if seq is not None and seq > 0])


def leave_former(named: Named, outbox: Outbox, *, is_known: bool) -> NamesBefore:
    """Have the provider use the name of now, and lose, or have lost, those of before; by which of them it may have her.

    Old and new name lie in different partitions, and which of the two a connector or a provider comes to first nobody
    knows: so every word under the new one says what is returned here.
    """
    _, _, emission, terms, _, place = named
    seq, renames = emission["seq"], is_release(emission) or is_renaming(emission)
    left: list[bytes] = []
    for before in of_before(terms, emission, SEQ):
        was = seq_kept(outbox.get(before.place))
        if was is None and renames:
            continue  # on this lane nothing of before can still come
        lives = was is not None and was > 0
        if lives:
            left.append(before.pseudonym)
        outbox.put(before.place, b"%d" % (seq if lives and (renames or is_restriction(emission)) else -seq))
        if was is None or (renames and is_known):
            continue
        _leave(named, before, outbox, lives=lives)
        if (parked := outbox.get(parked_at(before.place))) is not None:
            outbox.put(parked_at(before.place), None)
            if is_renaming(emission):
                outbox.put(parked_at(place), parked_anew(parked, emission))
    return tuple(left)


def _leave(named: Named, before: Before, outbox: Outbox, *, lives: bool) -> None:
    """Tell the end of one name of before, or its other name.

    With the restriction of somebody that goes at once: it must not wait for the end of a window, for the provider would
    not know who is restricted. Of whom nothing lives there, nothing is handed on; but an erasure is said again.
    """
    record, _, emission, terms, pseudonym, _ = named
    if is_release(emission) or is_renaming(emission) or is_restriction(emission):
        if lives:
            topic = terms.withdrawals if is_restriction(emission) else terms.operations
            send(topic, before.pseudonym, terms.rotate(emission, before.pseudonym, pseudonym, before.former), outbox)
    else:
        topic = terms.withdrawals if record.topic == WITHDRAWALS else terms.operations
        send(topic, before.pseudonym, terms.delete_former(emission, before.pseudonym, before.former), outbox)
