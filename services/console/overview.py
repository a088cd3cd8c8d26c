"""What the first page shows at one instant: totals, stages, and a row a provider. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.console.accounts import ALL
from services.console.counts import MINUTE, MINUTES_KEPT, Counts, ends_by_provider
from services.console.model import Model
from services.console.standing import LEVELS, Cause, Level, Signs, Standing, stand
from services.console.watching import BEATEN, INPUTS, Behind, behind_of
from services.console.withdrawals import Waiting, quantile_seconds
from services.contract.audit import Stage
from services.contract.topology import OPERATIONS, PROVIDER_WITHDRAWALS, named_for

RATE_MINUTES: Final = 5
LEAST_MINUTES: Final = 15
"""A shorter chart says little."""
Beats = Mapping[str, Mapping[int, float]]
"""Topic → partition → age of its last heartbeat in seconds."""
NOTHING: Final = Waiting(0, None)
WELL: Final = Behind("ok", 0, 0.0)


class Row(NamedTuple):
    """One provider; ends are those of the last 24 hours."""

    provider: str
    name: str
    level: Level
    causes: tuple[Cause, ...]
    records: int
    seconds: int
    trend: tuple[float, ...]
    ends: Mapping[str, int]
    per_minute: float
    """What it was told, over the last minutes."""
    waiting: int
    oldest_seconds: int | None
    """Age of the oldest withdrawal that it has not acknowledged."""
    latency_seconds: float | None
    """Within which 95 % of the last withdrawals came through."""


class StageRow(NamedTuple):
    """One stage, over all its processes."""

    stage: Stage
    level: Level
    causes: tuple[Cause, ...]
    records: int
    seconds: int
    per_minute: float
    silent_seconds: int | None
    """Since its last account; null before there was one."""
    beats: tuple[tuple[int, int], ...]
    """Each partition, and how old what its heartbeats vouch for is; of several providers the oldest."""

    @property
    def oldest_beat(self) -> tuple[int, int] | None:
        """The partition with the oldest heartbeat, and its age in seconds."""
        return max(self.beats, key=lambda beat: beat[1], default=None)


@dataclass(frozen=True, slots=True)
class Overview:
    """All of it. Rows with trouble come first."""

    rows: tuple[Row, ...]
    stages: tuple[StageRow, ...]
    ends: Mapping[str, int]
    waiting: Waiting
    oldest_seconds: int | None
    latency_seconds: float | None
    refused: int
    """Accounts that could not be read."""
    looked_seconds: float | None
    """Since the broker last answered; null before."""

    @property
    def troubled(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.level != "ok")


class Hourly:
    """Adds up the hours of `Counts`; an hour that has not changed since is not added up again."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[object, dict[str, Counter[str]]]] = {}

    def ends(self, counts: Counts) -> tuple[dict[str, Counter[str]], int]:
        """By provider, how what concerns it ended; and the last hour of which anything is known."""
        self._known = {
            hour: known if (known := self._known.get(hour)) and known[0] is kinds else (kinds, ends_by_provider(kinds))
            for hour, kinds in counts.hours.items()
        }
        found: dict[str, Counter[str]] = {}
        for _, by_provider in self._known.values():
            for provider, ends in by_provider.items():
                found.setdefault(provider, Counter()).update(ends)
        return found, max(self._known, default=0)

    def of_hour(self, hour: int) -> Mapping[str, Counter[str]]:
        return self._known[hour][1] if hour in self._known else {}


def look_over(model: Model, hourly: Hourly, now: float) -> Overview:
    ends, _ = hourly.ends(model.counts)
    lately = hourly.of_hour(int(now) // 3600)
    by_topic, beats = model.watching.by_topic(now), model.watching.beat_seconds(now)
    waiting = model.flight.all_waiting()
    rates = rates_per_minute(model.counts, now)
    rows = []
    for provider, name in model.providers.items():
        behind = by_topic.get(named_for(OPERATIONS, provider), WELL)
        beat = max(beats.get(named_for(PROVIDER_WITHDRAWALS, provider), {}).values(), default=None)
        way = waiting.get(provider, NOTHING)
        lost = lately.get(provider, Counter())["quarantined"]
        standing = stand(Signs(behind, way, beat, lost), now)
        rows.append(
            Row(
                provider, name, *_of(standing), behind.records, round(behind.seconds),
                model.watching.trends.get(provider, ()), ends.get(provider, {}),
                rates.get(f"{provider} released", 0.0) + rates.get(f"{provider} erased", 0.0),
                way.number, _age(way, now), quantile_seconds(model.flight.arrived.get(provider, ()), 0.95),
            )
        )  # fmt: skip
    rows.sort(key=lambda row: (-LEVELS.index(row.level), row.provider))
    total: Counter[str] = Counter()
    for provider in (*model.providers, ALL):
        total.update(ends.get(provider, {}))
    ways = [waiting[provider] for provider in model.providers if provider in waiting]
    oldest = min((way.oldest for way in ways if way.oldest is not None), default=None)
    arrived = [one for many in model.flight.arrived.values() for one in many]
    return Overview(
        rows=tuple(rows), stages=_stages(model, beats, rates, now), ends=total,
        waiting=Waiting(sum(way.number for way in ways), oldest),
        oldest_seconds=None if oldest is None else max(0, round(now - oldest)),
        latency_seconds=quantile_seconds(arrived, 0.95),
        refused=model.refused, looked_seconds=None if model.looked is None else now - model.looked,
    )  # fmt: skip


def _of(standing: Standing) -> tuple[Level, tuple[Cause, ...]]:
    return standing.level, standing.causes


def _age(way: Waiting, now: float) -> int | None:
    return None if way.oldest is None else max(0, round(now - way.oldest))


def _stages(
    model: Model, beats: Beats, rates: Mapping[str, float], now: float
) -> tuple[StageRow, ...]:  # fmt: skip
    return tuple(_stage(stage, model, beats, rates.get(stage, 0.0), now) for stage in INPUTS)


def _stage(stage: Stage, model: Model, beats: Beats, per_minute: float, now: float) -> StageRow:
    watching, topics = model.watching, _named(INPUTS[stage], model)
    behind = behind_of([line for (topic, _), line in watching.lines.items() if topic in topics], now)
    ages: dict[int, float] = {}
    for topic in beats.keys() & _named((BEATEN[stage],), model):
        for partition, seconds in beats[topic].items():
            ages[partition] = max(seconds, ages.get(partition, 0.0))
    beat = max(ages.values(), default=None)
    heard = max((known.at for (topic, _), known in watching.positions.items() if topic in topics), default=None)
    return StageRow(
        stage, *_of(stand(Signs(behind, NOTHING, beat, 0), now)), behind.records, round(behind.seconds), per_minute,
        None if heard is None else max(0, round(now - heard)),
        tuple((partition, round(seconds)) for partition, seconds in sorted(ages.items())),
    )  # fmt: skip


def _named(templates: tuple[str, ...], model: Model) -> set[str]:
    return {
        named_for(template, provider)
        for template in templates
        for provider in (model.providers if "<provider>" in template else ("",))
    }


def rates_per_minute(counts: Counts, now: float) -> dict[str, float]:
    """Over the last minutes, the present one as far as it has come."""
    minute = int(now) // MINUTE
    total: Counter[str] = Counter()
    for one in range(minute - RATE_MINUTES + 1, minute + 1):
        total.update(counts.minutes.get(one, {}))
    over = RATE_MINUTES - 1 + (now % MINUTE) / MINUTE
    return {what: number / over for what, number in total.items()}


def minute_series(counts: Counts, now: float) -> dict[str, list[int]]:
    """By minute, oldest first: when (seconds since 1970), inputs by stage, and what was told or taken back.

    Of the last hour, from when anything is known of, and of a quarter at least.
    """
    last = int(now) // MINUTE
    first = max(last - MINUTES_KEPT + 1, min((*counts.minutes, last - LEAST_MINUTES + 2)) - 1)
    minutes = range(first, last + 1)
    of: list[Mapping[str, int]] = [counts.minutes.get(minute, {}) for minute in minutes]

    def ending(end: str) -> list[int]:
        return [sum(number for what, number in one.items() if what.endswith(f" {end}")) for one in of]

    stages: dict[str, list[int]] = {stage: [one.get(stage, 0) for one in of] for stage in INPUTS}
    return {"at": [minute * MINUTE for minute in minutes], **stages, "released": ending("released"),
            "erased": ending("erased")}  # fmt: skip
