"""When the next record is due, and how long the slowest took. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def due(rate: float, elapsed: float) -> int:
    """How many records are to be out after so many seconds, at so many a second: the first at once."""
    return math.floor(rate * elapsed + 1e-9) + 1


def quantile(values: Sequence[float], share: float) -> float:
    """The least of the values that so great a share of them does not exceed."""
    if not values:
        raise ValueError("nothing was measured")
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


def latencies(acknowledged: Mapping[int, float], seen: Mapping[int, float], since: float) -> list[float]:
    """Seconds from acknowledgement to sight, of what was acknowledged since; who was never seen is not in it."""
    return [seen[number] - at for number, at in acknowledged.items() if at >= since and number in seen]


@dataclass(frozen=True, slots=True)
class Work:
    """One account that a stage gave: when its batch was begun, when it was written, in seconds of one clock."""

    inputs: int
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Span:
    """A stage's whole work, from the first input it took up to the last it ended."""

    inputs: int
    seconds: float

    @classmethod
    def of(cls, works: Sequence[Work]) -> "Span":
        first, last = min(work.began for work in works), max(work.ended for work in works)
        return cls(sum(work.inputs for work in works), last - first)

    @property
    def rate(self) -> float:
        return self.inputs / self.seconds
