"""Finds what names or reaches a person inside a text that should say something else: rule R16 drops the field.

It is asked about each value that would newly leave, so what cannot hold any of the forms costs next to nothing, and an
answer is kept.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal

from services.filtering.forms import FORMS, HINT, Form, plain
from services.filtering.request import Category

Trace = Form | Literal["long-text"]
Traces = frozenset[Trace]

CATEGORY_OF: Final[Mapping[Trace, Category]] = MappingProxyType(
    {
        "ine": "national-id",
        "nir": "national-id",
        "e-mail": "free-text",
        "phone": "free-text",
        "address": "free-text",
        "long-text": "free-text",
    }
)
"""What a field is, whatever its name, once such a trace is in it; both are of R16."""
_WORST_FIRST: Final[tuple[Category, ...]] = ("national-id", "free-text")

NOTHING: Final[Traces] = frozenset()
SHORTEST: Final = 6
"""No form is shorter: `a@b.fr`."""
SHORTEST_IN_ONE: Final = 10
"""Nor is one of letters and digits alone: a telephone number."""
LONGEST: Final = 1000
"""A longer text is free text by its length alone: nobody is named at such length."""
REMEMBERED: Final = 65_536
"""Values whose answer is kept; some megabytes."""

_OWN: Final[Mapping[str, Traces]] = MappingProxyType(
    {
        "email": frozenset({"e-mail"}),
        "home_phone": frozenset({"phone"}),
        "work_phone": frozenset({"phone"}),
        "mobile_phones": frozenset({"phone"}),
        "address_lines": frozenset({"address"}),
        "postcode": frozenset({"address"}),
        "town": frozenset({"address"}),
    }
)
"""What a field is there to hold: whether that may leave is for other rules to say."""
_MEF: Final = re.compile(r"[0-9]{7}[0-9A-Z][0-9]{2}[0-9A-Z]")
"""A MEF such as `1001000C11A` may look like an INE, and is none in its own field."""


def traces_of(names: Iterable[str], values: Mapping[str, Any]) -> dict[str, Traces]:
    """The fields whose value holds what has no place there, and what that is.

    A value is a text, a list of texts, or a list of objects of texts; most are too plain to hold any form, such as a
    name of letters or the code of a school or a class, and that is seen here: it is asked for each release.
    """
    found: dict[str, Traces] = {}
    for name in names:
        value = values[name]
        if type(value) is str:
            if not (value.isalpha() or len(value) < SHORTEST or _is_code(value)) and (here := _misplaced(name, value)):
                found[name] = here
        elif type(value) is list:
            for item in value:
                for text in item.values() if type(item) is dict else (item,):
                    if type(text) is not str or text.isalpha() or len(text) < SHORTEST or _is_code(text):
                        continue
                    if here := _misplaced(name, text):
                        found[name] = found.get(name, NOTHING) | here
    return found


def _is_code(text: str) -> bool:
    return len(text) < SHORTEST_IN_ONE and text.isalnum() and text.isascii()


def _misplaced(name: str, text: str) -> Traces:
    found = traces_in(text)
    if not found or (name == "mef" and _MEF.fullmatch(text)):
        return NOTHING
    return found - _OWN.get(name, NOTHING)


def worst_category(found: Traces) -> Category:
    """What a field with these traces is: a national identifier before free text."""
    return min((CATEGORY_OF[trace] for trace in found), key=_WORST_FIRST.index)


def traces_in(text: str) -> Traces:
    """Every kind of trace in a text, whatever the text is for."""
    return frozenset({"long-text"}) if len(text) > LONGEST else _traces_in(text)


@lru_cache(maxsize=REMEMBERED)
def _traces_in(text: str) -> Traces:
    seen = text.lower() if text.isascii() else plain(text)
    if not HINT.search(seen):
        return NOTHING
    return frozenset(form for form, is_in in FORMS if is_in(seen))
