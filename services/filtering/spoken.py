"""What the rules can see of what was consented to, in one spelling for all who said the same to the same matter.

Only who said it, and when, is respelt here; whose word counts is for `last_words` to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from services.filtering.parsing import STATUSES
from services.filtering.reading import Section
from services.filtering.request import GUARDIAN, SUBJECT
from services.filtering.unknown import UNKNOWN

_ABSENT: Final = object()


class Word:
    """One consent record, every part of which could be read. No tuple with names, which takes four times as long."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts of a record
        self, party: str, status: str, at: datetime, until: datetime | None, purpose: str | None, provider: str | None,
        notice: str | None, proof: str | None,
    ) -> None:  # fmt: skip
        self.party, self.status, self.at, self.until = party, status, at, until
        self.purpose, self.provider, self.notice, self.proof = purpose, provider, notice, proof


class Matter(NamedTuple):
    """What a consent must be about, and what the party must have been told."""

    purpose: str
    provider: str
    notice: str | None


class Seen(NamedTuple):
    """One consent record as the rules see it: what it is compared with has been compared."""

    party: str
    status: str
    place: int
    """In the order of all that counts, by `at`."""
    notice: bool
    proof: bool
    expired: bool


def words_of(consents: Iterable[object], guardians: Sequence[str]) -> tuple[Word, ...] | None:
    """Every record of the `consents` of a request, guardians by their place in the list, whoever they are.

    Null where one cannot be read in full.
    """
    parties = {"child": SUBJECT, SUBJECT: SUBJECT}
    for number, name in enumerate(guardians):
        parties[GUARDIAN + name] = f"{GUARDIAN}{number}"
    words = []
    for record in consents:
        if not isinstance(record, dict) or (word := _word(record, parties)) is None:
            return None
        words.append(word)
    return tuple(words)


def _word(record: Mapping[str, Any], parties: dict[str, str]) -> Word | None:
    get = record.get
    party, status, until = get("party"), get("status"), get("until", _ABSENT)
    if type(party) is not str or type(status) is not str or status not in STATUSES:
        return None
    if party not in parties:
        if not party.startswith(GUARDIAN) or party == GUARDIAN:
            return None
        parties[party] = f"{GUARDIAN}{len(parties)}"  # of nobody's guardian: a place that no listed one has
    purpose, provider = get("purpose", _ABSENT), get("provider", _ABSENT)
    notice, proof = get("notice", _ABSENT), get("proof", _ABSENT)
    for text in (purpose, provider, notice, proof):
        if text is not None and (type(text) is not str or not text):
            return None
    at, end = _instant(get("at")), None if until is None else _instant(until)
    if at is None or (until is not None and end is None):
        return None
    return Word(parties[party], status, at, end, purpose, provider, notice, proof)


def _instant(text: object) -> datetime | None:
    return _read_instant(text) if type(text) is str else None


@lru_cache(maxsize=8192)
def _read_instant(text: str) -> datetime | None:
    read = Section({"at": text}, []).instant("at")
    return None if read is UNKNOWN else read


def seen_of(words: Sequence[Word], matter: Matter, now: datetime) -> tuple[Seen, ...]:
    """The words about one purpose and provider.

    What is given later than now is left out: it is not said yet.
    """
    purpose, provider, notice = matter
    kept = [
        word
        for word in words
        if word.purpose == purpose and word.provider == provider and (word.status != "given" or word.at <= now)
    ]
    if not kept:
        return ()
    order = sorted({word.at for word in kept})
    return tuple(sorted([_seen(word, order.index(word.at), notice, now) for word in kept]))


def _seen(word: Word, place: int, notice: str | None, now: datetime) -> Seen:
    if word.status != "given":
        return Seen(word.party, word.status, place, False, False, False)  # noqa: FBT003  # nothing of it is looked at
    informed = word.notice is not None and word.notice == notice
    expired = word.until is not None and word.until <= now
    return Seen(word.party, word.status, place, informed, word.proof is not None, expired)
