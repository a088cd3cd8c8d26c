"""How far a stage is behind, and Burrow's verdict on it: from how offsets move, without a threshold. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, NamedTuple

Verdict = Literal["ok", "warning", "stalled", "stopped"]
"""`stalled` and `stopped` are Burrow's error: the offset stands still, or nothing was ever accounted for."""

FEWEST: Final = 3
"""Fewer samples say nothing yet."""
MOST_MARKS: Final = 32
WORST: Final[tuple[Verdict, ...]] = ("ok", "warning", "stalled", "stopped")


class Sample(NamedTuple):
    """One look at one partition of one stage's input; `at` in seconds since 1970."""

    at: float
    position: int | None
    """The first offset that no account speaks of; null where there is no account at all."""
    end: int
    """Where the partition ends, less the mark of the last transaction."""

    @property
    def lag(self) -> int:
        return max(0, self.end - (self.position or 0))


def judge(window: Sequence[Sample]) -> Verdict:
    """Judge by Burrow's rules, in their order: a lag of 0 anywhere is well."""
    if len(window) < FEWEST or any(sample.lag == 0 for sample in window):
        return "ok"
    first, last = window[0], window[-1]
    if last.position is None:
        return "stopped"
    never_fell = all(later.lag >= earlier.lag for earlier, later in pairwise(window))
    if not never_fell:
        return "ok"
    if first.position == last.position:
        return "stalled"
    return "warning" if last.lag > first.lag else "ok"


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=WORST.index, default="ok")


@dataclass(frozen=True, slots=True)
class Line:
    """One partition of one stage's input, as it was seen to move."""

    window: tuple[Sample, ...] = ()
    marks: tuple[tuple[float, int], ...] = ()
    """When which end was first seen, of ends that are not accounted for yet: what waits, and since when."""

    @property
    def lag(self) -> int:
        return self.window[-1].lag if self.window else 0

    def seconds(self, now: float) -> float:
        """How long the oldest input that is not accounted for has waited; 0 where none waits."""
        return max(0.0, now - self.marks[0][0]) if self.marks and self.lag else 0.0

    def observe(self, sample: Sample, kept: int) -> "Line":
        """With one more look; the last `kept` are judged."""
        before = self.window[-1] if self.window else None
        marks = self.marks
        if before is None or sample.end > before.end:
            marks = (*marks, (sample.at, sample.end))
        position = sample.position or 0
        if marks and (marks[0][1] <= position or len(marks) > MOST_MARKS):
            marks = tuple(mark for mark in marks if mark[1] > position)
            if len(marks) > MOST_MARKS:
                marks = marks[::2]
        return Line((*self.window, sample)[-kept:], marks)
