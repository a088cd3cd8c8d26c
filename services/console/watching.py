"""Where each stage stands in each of its inputs, from where topics end and what accounts say. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from services.console.accounts import NO_INPUTS, Entry
from services.console.lag import FEWEST, Line, Sample, Verdict, judge, worst
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

NEVER: Final = 0.0
"""In the place of an instant: no account was given."""

Place = tuple[str, int]
"""Topic and partition."""
BY_PLATFORMS: Final = frozenset({CHANGES, CONSENTS})
"""Written outside transactions: their ends are records, not marks."""


class Position(NamedTuple):
    """How far a stage has accounted for one partition."""

    next: int
    at: float


class Beat(NamedTuple):
    """The last heartbeats of one partition: of each of the filter's, up to when all decisions are applied."""

    until: Mapping[int, float]
    seen: float
    """When the partition was last looked into; instants in seconds since 1970."""

    @property
    def seconds(self) -> float:
        """Age of the oldest, as the rule of freshness counts it."""
        return max(0.0, self.seen - min(self.until.values()))


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
    beats: Mapping[Place, Beat] = field(default_factory=dict)
    """Of the lanes that heartbeats come on."""
    trends: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """By provider, seconds behind."""

    def heard(self, entries: Iterable[Entry]) -> "Watching":
        """With what these accounts say."""
        positions = dict(self.positions)
        for entry in entries:
            place = (entry.topic, entry.partition)
            known = positions.get(place)
            if entry.topic not in NO_INPUTS and (known is None or entry.last >= known.next):
                positions[place] = Position(entry.last + 1, entry.at)
        return Watching(positions, self.lines, self.beats, self.trends)

    def looked(self, ends: Mapping[Place, tuple[int, int]], now: float) -> "Watching":
        """With where partitions begin and end now."""
        lines = {
            place: self.lines.get(place, Line()).observe(self._sample(place, begin, end, now), WINDOW)
            for place, (begin, end) in ends.items()
        }
        return Watching(self.positions, lines, self.beats, self.trends)

    def standing_still(self) -> dict[Place, int]:
        """Where a stage does not move though something seems to wait, and from which offset on: maybe marks alone.

        Where platforms write there are no marks, and nobody needs to look.
        """
        found = {}
        for place, line in self.lines.items():
            last = line.window[-FEWEST:]
            if (
                line.lag
                and place[0] not in BY_PLATFORMS
                and len(last) == FEWEST
                and len({sample.position for sample in last}) == 1
            ):
                found[place] = last[-1].position or 0
        return found

    def passed(self, place: Place, first: int, *, is_dry: bool) -> "Watching":
        """With nothing to be read before `first`; where the place `is_dry`, nothing was there to give account of."""
        known = self.positions.get(place)
        if known is None and not is_dry:
            return self
        position = Position(max(first, known.next), known.at) if known else Position(first, NEVER)
        return Watching({**self.positions, place: position}, self.lines, self.beats, self.trends)

    def beaten(self, heard: Mapping[Place, Mapping[int, float]], now: float) -> "Watching":
        """With what was found on these lanes, if anything."""
        beats = dict(self.beats)
        for place, until in heard.items():
            before = beats[place].until if place in beats else {}
            later = {number: max(at, before.get(number, at)) for number, at in until.items()}
            if before or later:
                beats[place] = Beat({**before, **later}, now)
        return Watching(self.positions, self.lines, beats, self.trends)

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

    def beat_seconds(self) -> dict[str, dict[int, float]]:
        """By topic and partition, how old the last heartbeat is."""
        found: dict[str, dict[int, float]] = {}
        for (topic, partition), beat in self.beats.items():
            found.setdefault(topic, {})[partition] = beat.seconds
        return found

    def traced(self, seconds: Mapping[str, float]) -> "Watching":
        """With one more point of each provider's trend."""
        trends = {name: (*self.trends.get(name, ()), value)[-TREND:] for name, value in seconds.items()}
        return Watching(self.positions, self.lines, self.beats, trends)


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


BEATEN: Final = (WITHDRAWALS, PROVIDER_WITHDRAWALS)
"""On which heartbeats come: their ends say nothing of lag."""


def watched_topics(providers: Iterable[str]) -> tuple[str, ...]:
    """Every topic whose ends say how far its reader is behind."""
    return _named((topic for topics in INPUTS.values() for topic in topics if topic not in BEATEN), providers)


def lanes(providers: Iterable[str]) -> tuple[str, ...]:
    """Every topic on which heartbeats come."""
    return _named(BEATEN, providers)


def _named(topics: Iterable[str], providers: Iterable[str]) -> tuple[str, ...]:
    names = sorted(providers)
    return tuple(
        named_for(topic, provider) for topic in topics for provider in (names if "<provider>" in topic else ("",))
    )
