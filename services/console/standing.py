"""What an operator is told of each provider and stage: a verdict, and why. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from services.console.watching import Behind
from services.console.withdrawals import Waiting

Level = Literal["ok", "warning", "stalled"]
Cause = Literal["lag-growing", "lag-stalled", "never-read", "withdrawal-late", "quarantine", "heartbeat-stale"]

WITHDRAWAL_SECONDS: Final = 60.0
"""30 s of freshness and one request timeout (architecture.md): nothing about the pair may leave later."""
HEARTBEAT_SECONDS: Final = 30.0
LEVELS: Final[tuple[Level, ...]] = ("ok", "warning", "stalled")
_BY_LAG: Final[Mapping[str, tuple[Level, Cause]]] = {
    "warning": ("warning", "lag-growing"),
    "stalled": ("stalled", "lag-stalled"),
    "stopped": ("stalled", "never-read"),
}


class Signs(NamedTuple):
    """All that a verdict rests on."""

    behind: Behind
    waiting: Waiting
    beat_seconds: float | None
    """Since the last heartbeat; null where none is looked for."""
    quarantined: int
    """Of the last hour."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The worst level of all causes, and the causes, worst first."""

    level: Level
    causes: tuple[Cause, ...]


def stand(signs: Signs, now: float) -> Standing:
    found: list[tuple[Level, Cause]] = []
    if signs.behind.verdict in _BY_LAG:
        found.append(_BY_LAG[signs.behind.verdict])
    if signs.waiting.oldest is not None and now - signs.waiting.oldest > WITHDRAWAL_SECONDS:
        found.append(("stalled", "withdrawal-late"))
    if signs.beat_seconds is not None and signs.beat_seconds > HEARTBEAT_SECONDS:
        found.append(("warning", "heartbeat-stale"))
    if signs.quarantined:
        found.append(("warning", "quarantine"))
    found.sort(key=lambda one: -LEVELS.index(one[0]))
    return Standing(found[0][0] if found else "ok", tuple(cause for _, cause in found))
