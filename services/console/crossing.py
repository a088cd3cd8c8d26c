"""How many of some offsets are of a pupil of which type of school. Pure."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

from services.contract.audit import OffsetRange, SchoolType

WIDEST: Final = 1 << 18
"""Offsets of one batch, with what retention or transactions have left out; of a wider one no school is told."""


class Schools:
    """Of one batch, which inputs are of which type of school."""

    def __init__(self, schools: Mapping[SchoolType, Sequence[OffsetRange]], first: int, last: int) -> None:
        self._first, width = first, last - first + 1
        self._before: dict[SchoolType, list[int]] = {}
        if 0 < width <= WIDEST:
            for kind, ranges in schools.items():
                marks = bytearray(width)
                for low, high in ranges:
                    low, high = max(low, first), min(high, last)  # noqa: PLW2901  # what lies outside is none of it
                    marks[low - first : high - first + 1] = b"\1" * max(0, high - low + 1)
                self._before[kind] = list(accumulate(marks, initial=0))
        self._width = width

    def among(self, ranges: Sequence[OffsetRange]) -> tuple[tuple[SchoolType, int], ...]:
        """How many of these inputs are of each type that is said; the others are of none."""
        if not self._before:
            return ()
        first, width = self._first, self._width
        counted = []
        for kind, before in self._before.items():
            number = 0
            for low, high in ranges:
                number += before[min(max(high - first + 1, 0), width)] - before[min(max(low - first, 0), width)]
            if number > 0:
                counted.append((kind, number))
        return tuple(counted)
