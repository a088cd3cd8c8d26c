"""One AAF value to one of ours: dates, flags, and the parts between `$`.

Every function takes the values of an attribute without the empty ones; an error names a kind, never a value.
"""

import re
from datetime import date

from services.ingress.formats.aaf.reads import BadRecord

_DATE = re.compile(r"(\d\d)/(\d\d)/(\d{4})", re.ASCII)

Parts = list[str | None]


def text(values: list[str]) -> str | None:
    if len(values) > 1:
        raise BadRecord("several-values")
    return values[0] if values else None


def birth_date(values: list[str]) -> date | None:
    """jj/mm/aaaa."""
    written = text(values)
    if written is None:
        return None
    found = _DATE.fullmatch(written)
    if found is None:
        raise BadRecord("date")
    day, month, year = map(int, found.groups())
    try:
        return date(year, month, day)
    except ValueError:
        raise BadRecord("date") from None


def flag(values: list[str]) -> bool | None:
    """O or N; anything else is refused, for a restriction that cannot be read must not read as none."""
    written = text(values)
    if written not in {None, "O", "N"}:
        raise BadRecord("flag")
    return None if written is None else written == "O"


def lines(values: list[str]) -> tuple[str, ...]:
    """All the lines of an address, empty ones too: their place has a meaning."""
    written = text(values)
    return () if written is None else tuple(written.split("$"))


def parts(value: str, least: int, most: int) -> Parts:
    """Between `least` and `most` parts, of which the first `least` say something; a part left empty is null."""
    found = value.split("$")
    if not least <= len(found) <= most or not all(found[:least]):
        raise BadRecord("fields")
    return [part or None for part in found] + [None] * (most - len(found))
