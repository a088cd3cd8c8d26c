"""What a section has found, and how it is kept in the file: ratios (ours ÷ peer), figures, what is missing. Pure."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure over all rounds: its median, and how far the rounds lie apart."""

    median: float
    lowest: float
    highest: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Measured":
        return cls(statistics.median(values), min(values), max(values), len(values))


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the picture."""

    label: str
    value: float
    ours: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """A group of bars that share a unit."""

    title: str
    unit: str
    bars: tuple[Bar, ...]


@dataclass(slots=True)
class Findings:
    """What one section adds to the whole; keys are `<stage>/<what>`."""

    ratios: dict[str, float | None] = field(default_factory=dict)
    """Ours ÷ peer, of the medians; null where the peer is missing."""
    figures: dict[str, Measured] = field(default_factory=dict)
    """Rates in records a second, latencies in seconds, sizes in bytes, CPU in seconds."""
    missing: dict[str, str] = field(default_factory=dict)
    """What could not be measured here, and why."""
    faults: list[str] = field(default_factory=list)
    """Where a peer's work is not ours: nothing may be concluded from its figures."""
    charts: list[Chart] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        self.ratios |= other.ratios
        self.figures |= other.figures
        self.missing |= other.missing
        self.faults += other.faults
        self.charts += other.charts

    def to_json(self, machine: Mapping[str, Any]) -> dict[str, Any]:
        spread = {
            name: {"lowest": one.lowest, "highest": one.highest, "rounds": one.rounds}
            for name, one in self.figures.items()
        }
        return {
            "ratios": self.ratios,
            "figures": {name: one.median for name, one in self.figures.items()},
            "spread": spread,
            "machine": dict(machine),
            "missing": self.missing,
            "faults": self.faults,
        }
