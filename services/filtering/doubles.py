"""Of two names under which a provider had one person the second is erased (GDPR art. 5(1)(d); decisions/0018). Pure."""

from typing import NamedTuple

from services.filtering.asking import policy_of
from services.filtering.likeness import Moment
from services.filtering.merging import with_identity
from services.filtering.sending import Emission, next_seq, taken_back
from services.filtering.subject import Pair, Subject
from services.filtering.terms import Contracts

REASON = "R1/subject-deleted"
"""Whoever is known under that name is nobody of her own."""


class Erasures(NamedTuple):
    """The person, with what no policy lets erase yet; the emissions, each with its key; the last `seq` issued."""

    subject: Subject
    sent: tuple[tuple[str, Emission], ...]
    seq: int


def take_back_doubles(subject: Subject, contracts: Contracts, moment: Moment, seq: int) -> Erasures:
    """Erase every second name; it waits for nobody, and what the first one may be sent does not matter here."""
    identity = subject.particulars.identity
    left, sent = [], []
    for double in identity.doubles:
        policy = policy_of(double.pair, contracts.terms, contracts.bare)
        if policy is None:
            left.append(double)
            continue
        pair = Pair(double.seq, "release", "", double.named_by, double.purpose_family)
        erased = pair.erased(next_seq(seq, pair, moment), policy.key_serial)
        seq = erased.seq
        sent.append((double.home, taken_back(double.home, double.pair, erased, policy, [REASON])))
    if sent:
        subject = with_identity(subject, identity._replace(doubles=tuple(left)))
    return Erasures(subject, tuple(sent), seq)
