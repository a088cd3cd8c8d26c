"""The last words that wait: for the end of a backlog, of a release window, or of what the policies refuse. Pure.

There is one entry a pair, under `w/<until>/<contract>/<pseudonym>`: state in key order is therefore what is due first,
then by pseudonym, so that the order in which people were decided never leaves with them.
"""

from typing import NamedTuple

import orjson

from services.connectors.words import Word
from services.contract.reasons import StageCode

WAITING = b"w/"
AT_ONCE = "0000000000"
POLICIES_CHANGE = "~"
"""Comes after every instant."""
AWAITS_POLICIES = WAITING + POLICIES_CHANGE.encode() + b"/"


class Waiting(NamedTuple):
    """Why and since when (microseconds) which word waits."""

    why: StageCode
    since_us: int
    operation: dict[str, object]


def window_end(now_us: int, seconds: int) -> str:
    """When the window that holds this instant ends; windows are counted from 1970, so that all partitions agree."""
    return f"{(now_us // 1_000_000 // seconds + 1) * seconds:010d}"


def is_due(until: str, now_us: int) -> bool:
    return until != POLICIES_CHANGE and int(until) <= now_us // 1_000_000


def later_word_waits(before: str, until: str) -> str:
    """Until when a pair waits whose word is replaced: it keeps its turn, unless the policies refuse one of the two."""
    if not before or POLICIES_CHANGE in (before, until):
        return until
    return min(before, until)


def key_of(until: str, place: bytes) -> bytes:
    return b"%b%b/%b" % (WAITING, until.encode(), place)


def until_of(key: bytes) -> str:
    return key.split(b"/", 2)[1].decode()


def dump(why: StageCode, since_us: int, word: Word) -> bytes:
    return orjson.dumps([why, since_us, orjson.Fragment(word.raw)])


def load(raw: bytes) -> Waiting:
    return Waiting(*orjson.loads(raw))
