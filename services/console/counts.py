"""How inputs ended, by hour, and how fast, by minute: folded from accounts, bounded whatever comes. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from services.console.accounts import ALL, Entry, SetAside, provider_of

HOUR: Final = 3600
MINUTE: Final = 60
HOURS_KEPT: Final = 24
MINUTES_KEPT: Final = 60
MOST_KINDS: Final = 20_000
"""Beyond it, new kinds of an hour are counted together: a flood of names must not take the memory."""
OTHER: Final = "other"
QUARANTINED: Final = "quarantined"
DROPPED: Final = "dropped"
"""No end of an input, but of a field of one that was released: `<rule>/<field>` is its reason."""


class Cell(NamedTuple):
    """What is counted apart; `hour` is the number of the hour since 1970."""

    hour: int
    stage: str
    contract: str
    """`<provider>/<contract>`; of a quarantine the topic."""
    end: str
    reason: str
    school: str = ""
    """Type of the pupil's school; empty where none is said."""


class Pace(NamedTuple):
    """What is counted by the minute: `what` is a stage's inputs, or `<provider> <end>`."""

    minute: int
    what: str


class Kind(NamedTuple):
    """A cell without its hour."""

    stage: str
    contract: str
    end: str
    reason: str
    school: str = ""

    @property
    def provider(self) -> str:
        """Of a quarantine, whose topic it is; empty where all share it."""
        return (provider_of(self.contract) or "") if self.end == QUARANTINED else self.contract.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Counts:
    """The last hours and minutes; what is old is dropped as new comes."""

    hours: Mapping[int, Mapping[Kind, int]] = field(default_factory=dict)
    minutes: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    def plus(self, cells: Mapping[Cell, int], paces: Mapping[Pace, int], now: float) -> "Counts":
        """With these added, and without what is older than is kept."""
        first_hour, first_minute = int(now) // HOUR - HOURS_KEPT + 1, int(now) // MINUTE - MINUTES_KEPT + 1
        hours = {hour: kinds for hour, kinds in self.hours.items() if hour >= first_hour}
        for hour in {cell.hour for cell in cells if cell.hour >= first_hour}:
            kinds = dict(hours.get(hour, {}))
            for cell, count in cells.items():
                if cell.hour == hour:
                    kind = Kind(*cell[1:])
                    if kind not in kinds and len(kinds) >= MOST_KINDS:
                        kind = kind._replace(contract=OTHER, reason=OTHER, school="")
                    kinds[kind] = kinds.get(kind, 0) + count
            hours[hour] = kinds
        minutes = {minute: whats for minute, whats in self.minutes.items() if minute >= first_minute}
        for minute in {pace.minute for pace in paces if pace.minute >= first_minute}:
            whats = dict(minutes.get(minute, {}))
            for pace, count in paces.items():
                if pace.minute == minute:
                    whats[pace.what] = whats.get(pace.what, 0) + count
            minutes[minute] = whats
        return Counts(hours, minutes)


def cells_of(entries: Iterable[Entry], aside: Iterable[SetAside]) -> Counter[Cell]:
    """What a few accounts add, by hour."""
    found: Counter[Cell] = Counter()
    for entry in entries:
        hour = int(entry.at) // HOUR
        for one in entry.ends:
            unsaid = one.number
            for school, number in one.schools:
                found[Cell(hour, entry.stage, one.contract, one.end, one.reason, school)] += number
                unsaid -= number
            if unsaid:
                found[Cell(hour, entry.stage, one.contract, one.end, one.reason)] += unsaid
        for lost in entry.dropped:
            found[Cell(hour, entry.stage, lost.contract, DROPPED, f"{lost.rule}/{lost.name}", lost.school)] += (
                lost.number
            )
    for each in aside:
        found[Cell(int(each.at) // HOUR, each.stage, each.topic, QUARANTINED, each.code)] += 1
    return found


def paces_of(entries: Iterable[Entry]) -> Counter[Pace]:
    """What a few accounts add, by minute: inputs by stage, and by provider what reached it and what did not."""
    found: Counter[Pace] = Counter()
    for entry in entries:
        minute = int(entry.at) // MINUTE
        found[Pace(minute, entry.stage)] += entry.records
        for one in entry.ends:
            if counts_for_provider(entry.stage, one.end):
                found[Pace(minute, f"{one.provider} {one.end}")] += one.number
    return found


def counts_for_provider(stage: str, end: str) -> bool:
    """Whether an end of a stage is the provider's own, so that nothing is counted at two stages.

    What it was told counts where it was told, the rest where it was decided.
    """
    if end in {"released", "erased"}:
        return stage == "connectors"
    return stage == "filtering" or end in {"refused", QUARANTINED}


def ends_by_provider(kinds: Mapping[Kind, int]) -> dict[str, Counter[str]]:
    """Of one hour, how what concerns each provider ended; what concerns all of them under `-`."""
    found: dict[str, Counter[str]] = {}
    for kind, count in kinds.items():
        if kind.end != DROPPED and counts_for_provider(kind.stage, kind.end):
            found.setdefault(kind.provider or ALL, Counter())[kind.end] += count
    return found
