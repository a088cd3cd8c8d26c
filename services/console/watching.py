"""Where each stage stands in each of its inputs, from where topics end and what accounts say. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from services.console.accounts import NO_INPUTS, TICK, Entry
from services.console.lag import Line, Sample, Verdict, judge, worst
from services.contract.audit import Stage
from services.contract.topology import (
    CHANGES,
    CONSENTS,
    LINKS,
    MOVES,
    OPERATIONS,
    PROVIDER_WITHDRAWALS,
    RELEASES,
    UNLINKS,
    WITHDRAWALS,
    named_for,
)  # fmt: skip

WINDOW: Final = 15
"""Looks that a verdict rests on."""
TREND: Final = 60
"""Points of a provider's trend."""

Place = tuple[str, int]
"""Topic and partition."""
BY_PLATFORMS: Final = frozenset({CHANGES, CONSENTS})
"""Written outside transactions: their ends are records, not marks."""


class Position(NamedTuple):
    """How far a stage has accounted for one partition, and when (seconds since 1970) it last said so."""

    next: int
    at: float


class Behind(NamedTuple):
    """How far somebody is behind, over all partitions that are theirs."""

    verdict: Verdict
    records: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Watching:
    """All that is known of positions and ends."""

    positions: Mapping[Place, Position] = field(default_factory=dict)
    lines: Mapping[Place, Line] = field(default_factory=dict)
    """Of inputs that have a position."""
    applied: Mapping[Place, float] = field(default_factory=dict)
    """Where heartbeats are made or come: up to when (seconds since 1970) all that families decided is applied there."""
    trends: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By provider, seconds behind."""

    def heard(self, entries: Iterable[Entry]) -> "Watching":
        """With what these accounts say."""
        positions, applied = dict(self.positions), dict(self.applied)
        for entry in entries:
            place = (entry.topic, entry.partition)
            known = positions.get(place)
            if entry.topic not in NO_INPUTS and (known is None or entry.last >= known.next):
                positions[place] = Position(entry.last + 1, entry.at)
            if entry.applied_until is not None:
                applied[place] = entry.applied_until
            for topic, end in entry.caught_up.items():
                place = (topic, entry.partition)
                known = positions.get(place)
                positions[place] = Position(max(end, known.next) if known else end, entry.at)
        return Watching(positions, self.lines, applied, self.trends)

    def looked(self, ends: Mapping[Place, tuple[int, int]], now: float) -> "Watching":
        """With where partitions begin and end now."""
        lines = {
            place: self.lines.get(place, Line()).observe(self._sample(place, begin, end, now), WINDOW)
            for place, (begin, end) in ends.items()
        }
        return Watching(self.positions, lines, self.applied, self.trends)

    def _sample(self, place: Place, begin: int, end: int, now: float) -> Sample:
        known = self.positions.get(place)
        # The mark of a transaction stands behind its records, and is none.
        last = end if place[0] in BY_PLATFORMS else max(begin, end - 1)
        position = max(known.next, begin) if known else (begin if last <= begin else None)
        return Sample(now, position, last)

    def behind(self, topics: frozenset[str], now: float) -> Behind:
        """Of whoever reads these topics."""
        mine = [line for (topic, _), line in self.lines.items() if topic in topics]
        return behind_of(mine, now)

    def by_topic(self, now: float) -> dict[str, Behind]:
        found: dict[str, list[Line]] = {}
        for (topic, _), line in self.lines.items():
            found.setdefault(topic, []).append(line)
        return {topic: behind_of(lines, now) for topic, lines in found.items()}

    def beat_seconds(self, now: float) -> dict[str, dict[int, float]]:
        """By topic and partition, how old the last heartbeat is."""
        found: dict[str, dict[int, float]] = {}
        for (topic, partition), until in self.applied.items():
            found.setdefault(topic, {})[partition] = max(0.0, now - until)
        return found

    def traced(self, seconds: Mapping[str, float]) -> "Watching":
        """With one more point of each provider's trend."""
        trends = {name: (*self.trends.get(name, ()), value)[-TREND:] for name, value in seconds.items()}
        return Watching(self.positions, self.lines, self.applied, trends)


def behind_of(lines: Iterable[Line], now: float) -> Behind:
    verdicts: list[Verdict] = []
    records, seconds = 0, 0.0
    for line in lines:
        if line.lag:
            verdicts.append(judge(line.window))
            records += line.lag
            seconds = max(seconds, line.seconds(now))
    return Behind(worst(verdicts), records, seconds)


INPUTS: Final[Mapping[Stage, tuple[str, ...]]] = {
    "filtering": (CHANGES, CONSENTS, UNLINKS, MOVES, LINKS),
    "pseudonymisation": (WITHDRAWALS, RELEASES),
    "connectors": (PROVIDER_WITHDRAWALS, OPERATIONS),
}


BEATEN: Final[Mapping[Stage, str]] = {
    "filtering": TICK, "pseudonymisation": WITHDRAWALS, "connectors": PROVIDER_WITHDRAWALS,
}  # fmt: skip
"""In the accounts of which topic each stage says how fresh it is. The ends of these lanes say nothing of lag."""


def watched_topics(providers: Iterable[str]) -> tuple[str, ...]:
    """Every topic whose ends say how far its reader is behind."""
    names = sorted(providers)
    return tuple(
        named_for(topic, provider)
        for topics in INPUTS.values()
        for topic in topics
        if topic not in BEATEN.values()
        for provider in (names if "<provider>" in topic else ("",))
    )
