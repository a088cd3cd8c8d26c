"""Whether somebody has reached an age, and until when that answer holds: a birthday that never leaves. Pure."""

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any, Final

from services.filtering.policy import age_on

GATES: Final[Mapping[str, int]] = MappingProxyType({"age_13": 13, "age_15": 15, "age_16": 16, "age_18": 18})
"""Fields that a contract may name, and the age that each asks for."""


def gate(birth_date: str | None, years: int, today: date) -> dict[str, Any] | None:
    """`reached`, and `until`, the last day on which a no holds; null where the birth date is not known.

    It is asked of the first day of the month, so that a gate opens for all born in one month at once: on the birthday
    itself, it would tell it. A no ends with the month, and is then said anew; a yes holds for good.
    """
    try:
        born = date.fromisoformat(birth_date or "")
    except ValueError:
        return None
    first = today.replace(day=1)
    if age_on(first, born) >= years:
        return {"reached": True, "until": None}
    return {"reached": False, "until": ((first + timedelta(days=31)).replace(day=1) - timedelta(days=1)).isoformat()}
