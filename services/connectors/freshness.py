"""Whether what families took back is known here up to a moment ago (decisions/0010). Pure."""

from collections.abc import Callable
from datetime import UTC, datetime

from services.contract.heartbeats import Heartbeat

HEARTBEAT = b"~heartbeat/"
"""Where the state keeps the last one of each of the filter's partitions: microseconds."""
FRESH_US = 30_000_000
AHEAD_US = 5_000_000
"""How far the filter's clock may be ahead of ours: more would let an old heartbeat pass for a fresh one."""


def key_of(partition: int) -> bytes:
    return b"%b%d" % (HEARTBEAT, partition)


def dump(heartbeat: Heartbeat) -> bytes:
    return str(int(heartbeat.applied_until.timestamp() * 1_000_000)).encode()


def applied_until(get: Callable[[bytes], bytes | None], partitions: int) -> datetime | None:
    """Up to when all is known here: as of that of the filter's partitions that is furthest behind; null before all are.

    `get` looks into the state.
    """
    known = [raw for number in range(partitions) if (raw := get(key_of(number))) is not None]
    if len(known) < partitions:
        return None
    return datetime.fromtimestamp(min(map(int, known)) / 1_000_000, UTC)


def is_fresh(raw: bytes | None, now_us: int) -> bool:
    """Nothing is, before the first heartbeat."""
    return raw is not None and -AHEAD_US <= now_us - int(raw) < FRESH_US
