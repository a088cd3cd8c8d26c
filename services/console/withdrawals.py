"""Withdrawals on their way, folded from accounts alone: no pseudonym is read, let alone kept. Pure.

What the filter took back on the express lane goes through two queues, to the pseudonymiser and to the connector. Each
stage accounts for every record once: so what is on its way is what was counted in and not yet out. Up to the
pseudonymiser nothing overtakes in a partition. From there on they may lie in other partitions, and which one is still
missing is not known: the oldest is then said to be as old as it can be. The audit topics are read side by side, and a
stage's word may be heard before that of the stage before: it is then owed, for a while.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from services.console.accounts import Entry, provider_of
from services.contract.topology import CHANGES, CONSENTS, MOVES, PROVIDER_WITHDRAWALS, UNLINKS, WITHDRAWALS, named_for

OWED_SECONDS: Final = 60.0
"""After so long, what was counted out is taken to have come in before the console began to read."""
KEPT: Final = 200
"""Of a provider's last acknowledgements, how many latencies are remembered."""
EXPRESS_INPUTS: Final = frozenset({CHANGES, CONSENTS, UNLINKS, MOVES})
"""Of which the filter takes back on the express lane; a sweep's erasures go the normal way, and count as lag."""
UNCHANGED: Final = "unchanged"


class Wave(NamedTuple):
    """So many that were taken back at the same instant (seconds since 1970)."""

    since: float
    number: int


class Queue(NamedTuple):
    """Of one pair in one partition, or of one provider."""

    waves: tuple[Wave, ...] = ()
    owed: tuple[Wave, ...] = ()
    busy: float = 0.0
    """Since when it has not been empty: none that is in it is older."""

    def push(self, wave: Wave) -> "Queue":
        left, owed = wave.number, []
        for one in self.owed:
            if wave.since - one.since > OWED_SECONDS:
                continue
            taken = min(left, one.number)
            left -= taken
            if one.number > taken:
                owed.append(one._replace(number=one.number - taken))
        waves = (*self.waves, wave._replace(number=left)) if left else self.waves
        return Queue(waves, tuple(owed), self.busy if self.waves else wave.since)

    def pop(self, count: int, at: float) -> tuple["Queue", list[Wave]]:
        """Take the first `count` out; those that are not there yet are owed, and come out as taken back now."""
        out, left = [], count
        kept = list(self.waves)
        while left and kept:
            taken = min(left, kept[0].number)
            out.append(kept[0]._replace(number=taken))
            left -= taken
            if taken == kept[0].number:
                kept.pop(0)
            else:
                kept[0] = kept[0]._replace(number=kept[0].number - taken)
        owed = tuple(one for one in self.owed if at - one.since <= OWED_SECONDS)
        return Queue(tuple(kept), (*owed, Wave(at, left)) if left else owed, self.busy), out


class Acknowledged(NamedTuple):
    """So many withdrawals came through at `at`, `seconds` after they were decided."""

    at: float
    seconds: float
    number: int


class Waiting(NamedTuple):
    """What one provider has on its way."""

    number: int
    oldest: float | None
    """Since when (seconds since 1970)."""


Lane = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Flight:
    """All that is on its way, and what arrived last."""

    to_be_named: Mapping[Lane, Queue] = field(default_factory=dict)
    """By `<provider>/<contract>` and partition."""
    to_be_told: Mapping[Lane, Queue] = field(default_factory=dict)
    """By provider; the number is always 0."""
    arrived: Mapping[str, tuple[Acknowledged, ...]] = field(default_factory=dict)

    def waiting(self, provider: str) -> Waiting:
        return self.all_waiting().get(provider, Waiting(0, None))

    def all_waiting(self) -> dict[str, Waiting]:
        """By provider; who has nothing on its way is not there."""
        found: dict[str, Waiting] = {}
        for (name, _), queue in self.to_be_named.items():
            if queue.waves:
                _add(found, name.partition("/")[0], queue, queue.waves[0].since)
        for (name, _), queue in self.to_be_told.items():
            if queue.waves:
                _add(found, name, queue, queue.busy)
        return found


def _add(found: dict[str, Waiting], provider: str, queue: Queue, oldest: float) -> None:
    known = found.get(provider, Waiting(0, None))
    since = oldest if known.oldest is None else min(known.oldest, oldest)
    found[provider] = Waiting(known.number + sum(wave.number for wave in queue.waves), since)


def follow(flight: Flight, entries: Iterable[Entry]) -> Flight:
    """With these accounts heard."""
    named, told = dict(flight.to_be_named), dict(flight.to_be_told)
    arrived = dict(flight.arrived)
    for entry in sorted(entries, key=lambda one: one.at):
        match entry.stage:
            case "filtering" if entry.topic in EXPRESS_INPUTS:
                _taken_back(entry, named)
            case "pseudonymisation" if entry.topic == WITHDRAWALS:
                _renamed(entry, named, told)
            case "connectors":
                _acknowledged(entry, told, arrived)
            case _:
                pass
    return Flight(_moving(named), _moving(told), arrived)


def _taken_back(entry: Entry, named: dict[Lane, Queue]) -> None:
    for one in entry.ends:
        if one.end == "erased" and one.reason != UNCHANGED:
            lane = (one.contract, entry.partition)
            named[lane] = named.get(lane, Queue()).push(Wave(entry.at, one.number))


def _renamed(entry: Entry, named: dict[Lane, Queue], told: dict[Lane, Queue]) -> None:
    for one in entry.ends:
        lane, onward = (one.contract, entry.partition), (one.provider, 0)
        out: list[Wave] = []
        if one.end in {"erased", "refused"}:  # a restriction is held, and its first account does not show it
            named[lane], out = named.get(lane, Queue()).pop(one.number, entry.at)
        if one.end == "refused":
            continue
        unseen = one.number - sum(wave.number for wave in out)
        for wave in (*out, *((Wave(entry.at, unseen),) if unseen else ())):
            told[onward] = told.get(onward, Queue()).push(wave)


def _acknowledged(entry: Entry, told: dict[Lane, Queue], arrived: dict[str, tuple[Acknowledged, ...]]) -> None:
    provider = provider_of(entry.topic)
    if provider is None or entry.topic != named_for(PROVIDER_WITHDRAWALS, provider) or not entry.records:
        return
    lane = (provider, 0)
    told[lane], out = told.get(lane, Queue()).pop(entry.records, entry.at)
    latencies = tuple(Acknowledged(entry.at, max(0.0, entry.at - wave.since), wave.number) for wave in out)
    arrived[provider] = (*arrived.get(provider, ()), *latencies)[-KEPT:]


def _moving(lanes: Mapping[Lane, Queue]) -> dict[Lane, Queue]:
    """Without the empty ones."""
    return {lane: queue for lane, queue in lanes.items() if queue.waves or queue.owed}


def quantile_seconds(arrived: Iterable[Acknowledged], share: float) -> float | None:
    """Within how many seconds that share of them came through; null where none did."""
    sorted_by_time = sorted(arrived, key=lambda one: one.seconds)
    total, passed = sum(one.number for one in sorted_by_time), 0
    for one in sorted_by_time:
        passed += one.number
        if passed >= share * total:
            return one.seconds
    return None
