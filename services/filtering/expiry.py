"""When the passing of time alone changes what may be known of a person: consents that begin or end, and restrictions.

Days (ages, contracts, authority) are seen to by the sweep at midnight. There is one entry a person at most, under
`d/<microseconds>/<key>`: state in key order is therefore what is due first. Pure.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from services.filtering.subject import Subject

DUE: Final = b"d/"
_DIGITS: Final = 18
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def key_of(due_us: int, subject: str) -> bytes:
    return b"%b%0*d/%b" % (DUE, _DIGITS, due_us, subject.encode())


def due_of(key: bytes) -> tuple[int, str]:
    """When, and who, of an entry's key."""
    instant, _, subject = key[len(DUE) :].partition(b"/")
    return int(instant), subject.decode()


def next_due(subject: Subject, now_us: int) -> int | None:
    """The first instant after now at which a decision on this person may be another; null where there is none."""
    return min((instant for instant in _instants(subject) if instant > now_us), default=None)


def stays_due(subject: Subject, known: Subject, now_us: int) -> bool:
    """Whether `next_due` gives what it gave when she was last kept: nothing that it looks at was told since, nor came.

    She is read from where she is kept: what is the very same was not touched.
    """
    due_us = known.particulars.due_us
    return (
        subject.consents is known.consents
        and subject.particulars is known.particulars
        and (due_us is None or due_us > now_us)
    )


def _instants(subject: Subject) -> Iterator[int]:
    for record in subject.consents:
        if record["status"] == "given":
            yield _microseconds(record["at"])
            if record["until"] is not None:
                yield _microseconds(record["until"])
    for record in subject.particulars.restrictions:
        if record["until"] is not None:
            yield _microseconds(record["until"])


@lru_cache(maxsize=8192)
def _microseconds(instant: str) -> int:
    return (datetime.fromisoformat(instant) - _EPOCH) // _MICROSECOND
