"""What a process costs, and how fast its outputs appear: samples while it runs, a window cut out of them after."""

import os
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.benchmarks.cluster import Place
from ops.benchmarks.comparing import Output

STEADY_FROM = 0.1
"""The part of the outputs during which an interpreter or a virtual machine may still be starting."""

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Sample:
    """One look: the clock, what is visible, and the CPU seconds used so far."""

    at: float
    ends: Mapping[Place, int]
    engine_cpu: float
    broker_cpu: float


@dataclass(frozen=True, slots=True)
class Speed:
    """The steady part of one run."""

    records: int
    seconds: float
    engine_cpu: float
    """CPU seconds a million records, all threads."""
    broker_cpu: float
    """The broker's in the same window."""

    @property
    def rate(self) -> float:
        return self.records / self.seconds


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far, all threads."""
    return sum(sum(map(int, _stat(pid)[11:13])) / _TICKS for pid in pids)


def _stat(pid: int) -> list[str]:
    # The name in parentheses may hold blanks: what follows it does not.
    return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()


def peak_bytes(pids: Iterable[int]) -> int:
    """The most memory that these processes have had resident."""
    lines = [line for pid in pids for line in Path(f"/proc/{pid}/status").read_text("utf-8", "replace").splitlines()]
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def steady_part(samples: Sequence[Sample], outputs: Iterable[Output], wanted: int) -> Speed | None:
    """From a tenth of `wanted` outputs visible to all of them; null where too few looks fell in between."""
    offsets: dict[Place, list[int]] = defaultdict(list)
    for output in outputs:
        offsets[output.topic, output.partition].append(output.offset)
    for found in offsets.values():
        found.sort()
    seen = [(sample, sum(bisect_left(offsets[place], end) for place, end in sample.ends.items())) for sample in samples]
    first = next(((sample, count) for sample, count in seen if count >= STEADY_FROM * wanted), None)
    last = next(((sample, count) for sample, count in seen if count >= wanted), None)
    if first is None or last is None or last[1] <= first[1]:
        return None
    (began, before), (ended, after) = first, last
    millions = (after - before) / 1e6
    return Speed(
        records=after - before,
        seconds=ended.at - began.at,
        engine_cpu=(ended.engine_cpu - began.engine_cpu) / millions,
        broker_cpu=(ended.broker_cpu - began.broker_cpu) / millions,
    )
