"""How far everybody of a partition has been gone over since other names came into force. Pure.

The cursor is committed with those it has passed, so that a process that is killed goes on where it was.
"""

from typing import Final, NamedTuple

CURSOR: Final = b"~rotation"
ROTATED_A_SECOND: Final = 250
"""Subjects of one partition: of twelve partitions 3,000, so that a rotation never takes the place of the day's work."""


class Cursor(NamedTuple):
    """`announced` names the announcement that everybody is gone over for; `after` is null once all are."""

    announced: int
    done: int
    after: bytes | None


def cursor_of(raw: bytes | None, announced: int) -> Cursor:
    """Where to go on for this announcement: from the start, where another one was gone over before."""
    if raw is not None:
        said, done, rest = raw.split(b" ", 2)
        if int(said) == announced:
            return Cursor(announced, int(done), None if rest == b"." else rest[1:])
    return Cursor(announced, 0, b"")


def dump(cursor: Cursor) -> bytes:
    """The cursor as the state keeps it; a key may be any bytes, so that it stands last and behind a mark."""
    return b"%d %d %b" % (cursor.announced, cursor.done, b"." if cursor.after is None else b">" + cursor.after)
