"""How inputs ended, by hour, and how fast, by minute: folded from accounts, bounded whatever comes. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from sys import intern
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
                    _count(kinds, cell[1:], count)
            hours[hour] = kinds
        minutes = {minute: whats for minute, whats in self.minutes.items() if minute >= first_minute}
        for minute in {pace.minute for pace in paces if pace.minute >= first_minute}:
            whats = dict(minutes.get(minute, {}))
            for pace, count in paces.items():
                if pace.minute == minute:
                    whats[pace.what] = whats.get(pace.what, 0) + count
            minutes[minute] = whats
        return Counts(hours, minutes)


def _count(kinds: dict[Kind, int], kind: tuple[str, str, str, str, str], number: int) -> None:
    # A tuple finds a kind and is made in half the time: of ten thousands a second hardly one is new.
    if kind in kinds:
        kinds[kind] += number
    elif len(kinds) < MOST_KINDS:
        kinds[Kind(*kind)] = number
    else:
        other = Kind(kind[0], OTHER, kind[2], OTHER)
        kinds[other] = kinds.get(other, 0) + number


def cells_of(entries: Iterable[Entry], aside: Iterable[SetAside]) -> dict[Cell, int]:
    """What a few accounts add, by hour."""
    found: dict[tuple[int, str, str, str, str, str], int] = defaultdict(int)
    for entry in entries:
        hour, stage = int(entry.at) // HOUR, entry.stage
        for contract, end, reason, unsaid, schools in entry.ends:
            for school, number in schools:
                found[hour, stage, contract, end, reason, school] += number
                unsaid -= number  # noqa: PLW2901  # what is left
            if unsaid:
                found[hour, stage, contract, end, reason, ""] += unsaid
        for contract, kinds in entry.dropped.items():
            pair = intern(contract)
            for kind, rules in kinds.items():
                said = "" if kind == ALL else kind
                for rule, names in rules.items():
                    for name, times in names.items():
                        found[hour, stage, pair, DROPPED, _field_reason(rule, name), said] += times
    for each in aside:
        found[int(each.at) // HOUR, each.stage, each.topic, QUARANTINED, each.code, ""] += 1
    return {Cell(*cell): number for cell, number in found.items()}


@lru_cache(maxsize=1024)
def _field_reason(rule: str, name: str) -> str:
    return f"{rule}/{name}"


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
