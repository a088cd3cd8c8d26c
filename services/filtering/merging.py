"""When two keys are one person's, and what she is once they are one (decisions/0018). Pure.

Only an INE shows it: neither a name, nor a birth date, nor a school. Under `<source>:<id>` only that source speaks.
"""

from collections.abc import Mapping
from typing import Final, Literal

import orjson

from services.contract.errors import TooLarge
from services.contract.identifiers import canonical_ine
from services.contract.moves import Claim, Moved
from services.filtering.folding import newest, take_said
from services.filtering.identity import SOLE, Double, Identity
from services.filtering.particulars import Folded, joined
from services.filtering.subject import NOBODY, Image, Pair, Subject, dump, load

Doubt = Literal["merge-under-way", "two-ines"]

MAX_KEYS: Final = 64
"""How many keys may claim one INE: without a bound, whoever may name it could fill what is remembered of her."""


def other_ine(key: str, subject: Subject) -> str | None:
    """An INE that an image shows of a pupil and that is not her key; null of nearly everybody."""
    for image in subject.images.values():
        ine = image.attributes.get("ine")
        if ine is None or ine == key or image.deleted or image.category != "pupil":
            continue
        canonical = canonical_ine(ine)
        if canonical is not None and canonical != key:
            return canonical
    return None


def doubt_of(key: str, subject: Subject, shown: str | None) -> Doubt | None:
    """Why nothing may newly be released, `shown` being what `other_ine` found."""
    if shown is not None:
        return "two-ines" if canonical_ine(key) == key else "merge-under-way"
    return "merge-under-way" if subject.particulars.identity.awaits else None


def with_identity(subject: Subject, identity: Identity) -> Subject:
    return subject.knowing(subject.particulars._replace(identity=identity))


def claims_to_make(key: str, subject: Subject, shown: str | None) -> tuple[tuple[str, bool], ...]:
    """Which INEs' partitions are to be told that the key is theirs, or is not after all.

    Only another image takes a claim back: whoever is deleted still was that person, and what she refused must go over.
    """
    claimed = subject.particulars.identity.claimed
    former = claimed[0] if claimed else None
    if shown is None and subject.deleted:
        return ()
    latter = None if canonical_ine(key) == key else shown
    if former == latter:
        return ()
    return tuple((ine, on) for ine, on in ((former, False), (latter, True)) if ine is not None)


def hear_claim(subject: Subject, claim: Claim) -> tuple[Subject, Folded]:
    """Take one claim in at the kept key: what was claimed, taken back or answered by a later one changes nothing.

    Raises:
        TooLarge: as many keys as may be have claimed this INE.
    """
    identity = subject.particulars.identity
    if len({claim.dropped, *identity.claims, *identity.settled}) > MAX_KEYS:
        raise TooLarge(f"payload: {MAX_KEYS} keys have claimed this INE already")
    known = max(abs(said.get(claim.dropped, 0)) for said in (identity.claims, identity.settled))
    if claim.seq <= known:
        return subject, "duplicate" if claim.seq == known else "superseded"
    if claim.on:
        # Not answered yet: it is, once it can be.
        claims = {**identity.claims, claim.dropped: -claim.seq}
        return with_identity(subject, identity._replace(claims=claims)), "changed"
    return with_identity(subject, _settled(identity, claim.dropped, -claim.seq)), "changed"


def _settled(identity: Identity, dropped: str, seq: int) -> Identity:
    claims = {key: known for key, known in identity.claims.items() if key != dropped}
    return identity._replace(claims=claims, settled={**identity.settled, dropped: seq})


def answer_claims(subject: Subject) -> tuple[Subject, Mapping[str, int]]:
    """Which claims are right as things now stand, each with its `seq`.

    A source that has somebody else under this INE has two people under one: they stay two until it says otherwise.
    """
    identity = subject.particulars.identity
    right = {key: -seq for key, seq in identity.claims.items() if seq < 0 and not _is_another(key, subject)}
    if not right:
        return subject, right
    return with_identity(subject, identity._replace(claims={**identity.claims, **right})), right


def _is_another(key: str, subject: Subject) -> bool:
    source, _, local = key.partition(":")
    image = subject.images.get(source)
    return image is not None and image.id != local and not image.deleted


def handed_over(kept: str) -> Subject:
    """What stays under the dropped key: whose it is, for good."""
    return with_identity(NOBODY, Identity(kept=kept))


def state_of(subject: Subject) -> bytes:
    """What moves, as JSON: all that is not of the dropped key itself."""
    moving = subject.particulars._replace(identity=SOLE, due_us=None)
    return dump(subject.knowing(moving))


def absorb(subject: Subject, moved: Moved) -> tuple[Subject, Subject, Folded]:
    """The person with what was known of her under the dropped key, and what that was; once only."""
    known = subject.particulars.identity
    if abs(known.settled.get(moved.dropped, 0)) >= moved.seq:
        return subject, NOBODY, "duplicate"
    other = load(orjson.dumps(dict(moved.state)))
    whole = subject.shown(_images(subject.images, other.images))
    for record in other.consents:
        whole = take_said(whole, record)[0]
    identity = _settled(known, moved.dropped, moved.seq)
    whole = whole.knowing(joined(whole.particulars, other.particulars)._replace(identity=identity))
    for name, pair in other.pairs.items():
        whole = _with_pair(whole, name, pair, moved)
    return whole, other, "changed"


def _images(known: Mapping[str, Image], other: Mapping[str, Image]) -> dict[str, Image]:
    """One a source: the later one where both have it; of two ids the one that the source has not deleted."""
    both = {**other, **known}
    for source in known.keys() & other.keys():
        one, two = known[source], other[source]
        both[source] = max(one, two, key=_age if one.id == two.id else _life)
    return both


def _age(image: Image) -> tuple[str, bytes]:
    return newest(image), orjson.dumps(list(image), option=orjson.OPT_SORT_KEYS)


def _life(image: Image) -> tuple[bool, str, bytes]:
    return not image.deleted, *_age(image)


def _with_pair(subject: Subject, name: str, pair: Pair, moved: Moved) -> Subject:
    """Take a pair over, under the name that the provider has; of two names one stays and the other is to be erased.

    What the kept key has stays, unless it is gone, or the other one is restricted: that must neither be used nor lost
    (GDPR art. 18).
    """
    own, identity = subject.pairs.get(name), subject.particulars.identity
    taken = own is None or _rank(pair) > _rank(own)
    homes, doubles = identity.homes, identity.doubles
    if own is not None and own.named_by == pair.named_by:
        # One name: the higher fence counts, and there is nothing to erase.
        kept = pair._replace(seq=max(own.seq, pair.seq)) if taken else own._replace(seq=max(own.seq, pair.seq))
    elif taken:
        kept = pair
        if own is not None and own.last != "erase":
            doubles = (*doubles, _double(name, homes.get(name, moved.kept), own))
    else:
        kept = own if own is not None else pair
        if pair.last != "erase":
            doubles = (*doubles, _double(name, moved.dropped, pair))
    if taken:
        homes = {**homes, name: moved.dropped}
    subject = subject.told({**subject.pairs, name: kept})
    return with_identity(subject, identity._replace(homes=homes, doubles=doubles))


def _rank(pair: Pair) -> int:
    return ("erase", "release", "restrict").index(pair.last)


def _double(name: str, home: str, pair: Pair) -> Double:
    return Double(name, home, pair.seq, pair.named_by, pair.purpose_family)
