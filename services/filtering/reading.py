"""Strict, three-valued reading of JSON: a value, none (`None`), or unknown (`UNKNOWN`).

Whatever cannot be read is noted once as a problem (R0) and read as unknown; nothing raises, no value is quoted.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final, TypeVar, cast

from services.contract.reasons import ReasonCode
from services.filtering.unknown import UNKNOWN, Answer, Maybe, Names, Period, Unknown

Choice = TypeVar("Choice", bound=str)

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)(Z|[+-]\d\d:\d\d)?", re.ASCII)
_ABSENT: Final = object()


class Section:
    """One JSON object, read key by key; where it is null every key is, where it is unknown every key is too."""

    __slots__ = ("_problems", "_values")

    def __init__(self, values: Maybe[Mapping[str, object] | None], problems: list[ReasonCode]) -> None:
        self._values = values
        self._problems = problems

    @property
    def exists(self) -> Answer:
        return UNKNOWN if self._values is UNKNOWN else self._values is not None

    def declares(self, key: str) -> bool:
        """Say whether an optional key is there."""
        return isinstance(self._values, Mapping) and key in self._values

    def problem(self, code: ReasonCode = "unknown-value") -> Unknown:
        """Note why R0 holds."""
        self._problems.append(code)
        return UNKNOWN

    def value(self, key: str) -> object:
        if self._values is None or self._values is UNKNOWN:
            return self._values
        value = self._values.get(key, _ABSENT)
        return self.problem("key-absent") if value is _ABSENT else value

    def text(self, key: str) -> Maybe[str | None]:
        value = self.value(key)
        if value is None or value is UNKNOWN or (isinstance(value, str) and value):
            return value
        return self.problem()

    def identifier(self, key: str) -> Maybe[str]:
        """Read a text that none cannot stand for."""
        value = self.text(key)
        return self.problem() if value is None else value

    def choice(self, key: str, listed: frozenset[Choice], otherwise: ReasonCode = "unknown-value") -> Maybe[Choice]:
        value = self.value(key)
        if value is UNKNOWN:
            return UNKNOWN
        if isinstance(value, str) and value in listed:
            return value
        return self.problem(otherwise)

    def flag(self, key: str) -> Maybe[bool | None]:
        value = self.value(key)
        return value if value is None or value is UNKNOWN or isinstance(value, bool) else self.problem()

    def fact(self, key: str) -> Answer:
        """Read a yes or no that none cannot stand for."""
        value = self.flag(key)
        return self.problem() if value is None else value

    def years(self, key: str) -> Maybe[int | None]:
        value = self.value(key)
        if value is None or value is UNKNOWN:
            return value
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        return cast("int", value) if whole else self.problem()

    def day(self, key: str) -> Maybe[date | None]:
        value = self.value(key)
        if value is None or value is UNKNOWN:
            return value
        if isinstance(value, str) and _DAY.fullmatch(value):
            try:
                return date.fromisoformat(value)
            except ValueError:
                return self.problem()
        return self.problem()

    def end(self, key: str) -> Maybe[datetime | None]:
        """Read an instant that may be none: then there is no end."""
        value = self.value(key)
        return value if value is None or value is UNKNOWN else self._instant(value)

    def instant(self, key: str) -> Maybe[datetime]:
        value = self.value(key)
        return UNKNOWN if value is UNKNOWN else self._instant(value)

    def _instant(self, value: object) -> Maybe[datetime]:
        match = _INSTANT.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            return self.problem()
        if match[2] is None:
            return self.problem("no-offset")
        try:
            return datetime.fromisoformat(match[0]).astimezone(UTC)
        except (ValueError, OverflowError):
            return self.problem()

    def period(self) -> Period:
        return Period(self.day("from"), self.day("until"))

    def entry(self, key: str) -> Maybe[Period | None]:
        """Read a dated entry, such as one in the register of SecNumCloud."""
        section = self.section(key)
        return section.period() if section.exists is True else (None if section.exists is False else UNKNOWN)

    def section(self, key: str) -> "Section":
        value = self.value(key)
        if value is not None and value is not UNKNOWN and not isinstance(value, Mapping):
            value = self.problem()
        return Section(cast("Maybe[Mapping[str, object] | None]", value), self._problems)

    def _items(self, key: str) -> tuple[list[object], bool]:
        value = self.value(key)
        if value is None or isinstance(value, list):
            return value or [], True
        if value is not UNKNOWN:
            self.problem()
        return [], False

    def names(self, key: str, listed: frozenset[str] | None = None) -> Names:
        items, complete = self._items(key)
        known = tuple(i for i in items if isinstance(i, str) and i and (listed is None or i in listed))
        if len(known) < len(items):
            self.problem()
            complete = False
        return Names(known, complete)

    def sections(self, key: str) -> tuple[list["Section"], bool]:
        """Read a list of objects, and whether it is complete."""
        items, complete = self._items(key)
        known = [Section(item, self._problems) for item in items if isinstance(item, Mapping)]
        if len(known) < len(items):
            self.problem()
            complete = False
        return known, complete
