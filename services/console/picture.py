"""Where things stand in the drawing of the flow, and how a trend becomes a line. Pure; numbers in SVG units."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from services.console.overview import Overview, Row

SHOWN: Final = 8
"""Providers that are drawn; of more, those with trouble come first and the others are one."""
TOP: Final = 24
HEIGHT: Final = 240
TREND_WIDTH: Final = 120
TREND_HEIGHT: Final = 26


class Drawn(NamedTuple):
    """One provider in the drawing, at the height of its middle."""

    row: Row
    y: int


class Picture(NamedTuple):
    """The drawing."""

    providers: tuple[Drawn, ...]
    others: int
    others_y: int
    middle: int
    height: int


def draw(overview: Overview) -> Picture:
    rows = overview.rows[:SHOWN]
    others = len(overview.rows) - len(rows)
    places = len(rows) + (1 if others else 0)
    step = max(48, min(64, HEIGHT // max(1, places)))
    height = max(HEIGHT, 2 * TOP + step * places)
    first = (height - step * max(0, places - 1)) // 2
    drawn = tuple(
        Drawn(row, first + step * number) for number, row in enumerate(sorted(rows, key=lambda r: r.provider))
    )
    return Picture(drawn, others, first + step * len(drawn), height // 2, height)


def width_of(per_minute: float) -> str:
    """The class of a line by how much goes along it."""
    for number, bound in enumerate((0.01, 10, 100, 1000, 10_000)):
        if per_minute < bound:
            return f"w{number}"
    return "w5"


def polyline(values: Sequence[float]) -> str:
    """The points of a trend, the newest at the right; flat at the bottom where all is 0."""
    if len(values) < 2:
        values = (0.0, 0.0)
    top = max(*values, 5.0)
    step = TREND_WIDTH / (len(values) - 1)
    return " ".join(
        f"{number * step:.1f},{TREND_HEIGHT - 2 - value / top * (TREND_HEIGHT - 4):.1f}"
        for number, value in enumerate(values)
    )


def bars(values: Sequence[int]) -> tuple[tuple[int, float], ...]:
    """Left edge and height of each bar, in a box of 96 by 24."""
    top = max(*values, 1)
    return tuple((number * 4, round(value / top * 24, 1)) for number, value in enumerate(values))
