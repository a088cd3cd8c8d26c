"""Three-valued answers: yes, no, and unknown, which is not no and never yes."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Final, TypeAlias, TypeVar


class Unknown(Enum):
    """The third value: neither yes nor no."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
T = TypeVar("T")
Maybe: TypeAlias = T | Unknown
Answer: TypeAlias = bool | Unknown


@dataclass(frozen=True, slots=True)
class Names:
    """A list of strings; where it is not `complete`, it may hold others that could not be read."""

    known: tuple[str, ...]
    complete: bool = True

    def has(self, name: str) -> Answer:
        if name in self.known:
            return True
        return False if self.complete else UNKNOWN


@dataclass(frozen=True, slots=True)
class Period:
    """Days in Europe/Paris, both bounds included; `until` none has no end, `start` none never begins."""

    start: Maybe[date | None]
    until: Maybe[date | None]

    def is_over(self, today: Maybe[date]) -> Answer:
        if self.until is None:
            return False
        if self.until is UNKNOWN or today is UNKNOWN:
            return UNKNOWN
        return self.until < today

    def has_begun(self, today: Maybe[date]) -> Answer:
        if self.start is None:
            return False
        if self.start is UNKNOWN or today is UNKNOWN:
            return UNKNOWN
        return self.start <= today

    def covers(self, today: Maybe[date]) -> Answer:
        begun, over = self.has_begun(today), self.is_over(today)
        if begun is False or over is True:
            return False
        return UNKNOWN if begun is UNKNOWN or over is UNKNOWN else True


def in_force(period: Maybe[Period | None], today: Maybe[date]) -> Answer:
    """Say whether there is such an entry and it covers today."""
    if period is None:
        return False
    return UNKNOWN if period is UNKNOWN else period.covers(today)


def is_not(answer: Maybe[bool | None]) -> bool:
    """Say whether a condition is known not to hold: none counts as no, unknown does not."""
    return answer is None or answer is False
