"""Whether what families decide, and the policies, are known here up to a moment ago: else nothing is released. Pure."""

from typing import Final, Literal

Staleness = Literal["stale-consents", "stale-policies"]

AHEAD_US: Final = 5_000_000
"""How far a clock may have been ahead when it was read: more would let what is old pass for fresh."""


def staleness(now_us: int, applied_until_us: int | None, confirmed_us: int | None, bound_us: int) -> Staleness | None:
    """Why nothing may be released; nothing is known to be fresh before it was heard of.

    `applied_until_us`: all consents that Kafka had accepted by then are decided in this partition. `confirmed_us`: all
    policies that were in force by then are here.
    """
    if _is_old(applied_until_us, now_us, bound_us):
        return "stale-consents"
    return "stale-policies" if _is_old(confirmed_us, now_us, bound_us) else None


def _is_old(heard_us: int | None, now_us: int, bound_us: int) -> bool:
    return heard_us is None or not -AHEAD_US <= now_us - heard_us < bound_us
