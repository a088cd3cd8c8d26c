"""Finds what names or reaches a person inside a text that should say something else: rule R16 drops the field.

Looks for the forms in which they are written in France: INE, NIR, e-mail, telephone, postal address. It is asked
about each value that would leave, so what cannot hold any of them costs next to nothing, and an answer is kept.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, Literal
from unicodedata import category, decimal, normalize

from services.filtering.request import Category

Trace = Literal["ine", "nir", "e-mail", "phone", "address", "long-text"]
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
    plain = text.lower() if text.isascii() else _plain(text)
    if not _HINT.search(plain):
        return NOTHING
    return frozenset(trace for trace, is_in in _FORMS if is_in(plain))


def _plain(text: str) -> str:
    """In small letters without accents; digits, dashes and blanks of any script as those of ASCII."""
    return "".join(_ascii(letter) for letter in normalize("NFKD", text.lower()))


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    number = decimal(letter, None)
    if number is not None:
        return str(number)
    return {"Pd": "-", "Zs": " ", "Mn": "", "Cf": ""}.get(category(letter), letter)


_HINT = re.compile(r"[0-9@]|[\[(]\s?(?:at|arobase)\s?[\])]")
"""Without one of these there is nothing to find."""

_INE = re.compile(
    r"(?<![0-9a-z])(?:[0-9]{9}[ -]?[a-z]{2}|[0-9]{10}[ -]?[a-z]"
    r"|[0-9]{3}([ .-])[0-9]{3}\1[0-9]{3}\1?(?:[a-z]{2}|[0-9]\1?[a-z]))(?![0-9a-z])"
)
"""Both shapes, in one piece or by threes; there is no check letter."""

_GAP = r"[ .\-_]{0,2}"
_NIR = re.compile(
    rf"(?<![0-9])(?=([1-478](?:{_GAP}[0-9]){{4}}{_GAP}(?:[0-9]{_GAP}[0-9]|2{_GAP}[ab])(?:{_GAP}[0-9]){{6}})"
    rf"({_GAP}[0-9]{_GAP}[0-9])?(?![0-9]))"
)
_NOT_OF_NIR = re.compile(r"[ .\-_]")
_BIRTH_MONTH = re.compile(r"0[1-9]|1[0-2]")
_LEFT_OUT_MONTH = re.compile(r"[2-9][0-9]")
"""The month where the register does not know it (20, 30 to 42, 50 to 99), and of numbers given in advance."""


def _has_nir(text: str) -> bool:
    """Thirteen characters with the two digits of the key, or without a key where the month is one."""
    return any(_is_nir(*match.groups()) for match in _NIR.finditer(text))


def _is_nir(body: str, key: str | None) -> bool:
    number, month = _NOT_OF_NIR.sub("", body), _NOT_OF_NIR.sub("", body)[3:5]
    if key is not None and int(_NOT_OF_NIR.sub("", key)) == nir_key(number):
        return _BIRTH_MONTH.fullmatch(month) is not None or _LEFT_OUT_MONTH.fullmatch(month) is not None
    # What stands apart need not be a key.
    return (key is None or not key[0].isdecimal()) and _BIRTH_MONTH.fullmatch(month) is not None


def nir_key(number: str) -> int:
    """The key of the thirteen first characters; Corsica counts as 19 and 18 (décret 82-103, annexe)."""
    return 97 - int(number.lower().replace("2a", "19").replace("2b", "18")) % 97


_MAIL = re.compile(
    r"[^\s@<>(),;:]@[^\s@<>(),;:]+\.[^\s@<>(),;:.]{2}"
    r"|\S\s?[\[(]\s?(?:at|arobase)\s?[\])]\s?[^\s@.\[(]+\s?(?:\.|[\[(]\s?(?:dot|point)\s?[\])])\s?[a-z]{2}"
)

_DAY = re.compile(r"(?<![0-9])(?:0?[1-9]|[12][0-9]|3[01])[/.-](?:0?[1-9]|1[0-2])[/.-](?:19|20)[0-9]{2}(?![0-9])")
_BETWEEN = r"[\s.\-/_]{0,3}"
_PHONE = re.compile(
    rf"(?<![0-9])0{_BETWEEN}[1-9](?:{_BETWEEN}[0-9]){{8}}(?![0-9])"
    rf"|(?<![0-9])00{_BETWEEN}33(?:[\s.\-/_()]{{0,3}}[0-9]){{9,10}}(?![0-9])"
    r"|\+(?:[\s.\-/_()]{0,3}[0-9]){8,15}(?![0-9])"
)
"""National, or international with + or 0033, whatever stands between the digits."""


def _has_phone(text: str) -> bool:
    return _PHONE.search(_DAY.sub("#", text)) is not None


_NUMBER = r"(?<![0-9a-z])[0-9]{1,4}(?:\s?(?:bis|ter|quater|quinquies|[a-f])(?![a-z]))?\s{0,2},?\s{0,2}"
_STREET = (
    r"(?:rue|avenue|boulevard|impasse|chemin|allees?|quai|faubourg|ruelle|sentier|route|square|place|esplanade"
    r"|promenade|chaussee|venelle)"
)
_DOUBTFUL_STREET = (
    r"(?:av|bd|bld|bvd|che?|imp|pl|rte|sq|all|fg|lot|lotissement|res|residence|cours|cite|hameau|villa|clos|domaine"
    r"|passage|pass|voie|montee|traverse|quartier|parc|lieu[ -]dit|lieudit|z\.?a\.?c?|z\.?i)"
)
"""Words and abbreviations that labels of classes hold too (`3 ALL LV2`): they need a postcode and a town."""
_TOWN = r"(?<![0-9])(?:f-)?(?:0[1-9]|[1-8][0-9]|9[0-8])\s?[0-9]{3}(?![0-9])[\s,-]{1,3}[a-z]{2}"
_ADDRESS = re.compile(
    rf"{_NUMBER}{_STREET}\s{{1,2}}[a-z0-9']"
    rf"|(?<![a-z])(?:{_STREET}|{_DOUBTFUL_STREET})(?![a-z]).{{1,100}}?{_TOWN}"
    rf"|(?<![a-z])(?:bp|cs|tsa)\s?[0-9]{{1,5}}(?![0-9]).{{1,60}}?{_TOWN}"
    rf"|{_TOWN}.{{1,60}}?(?<![a-z])cedex(?![a-z])",
    re.DOTALL,
)

_FORMS: Final[tuple[tuple[Trace, Callable[[str], object]], ...]] = (
    ("ine", _INE.search),
    ("nir", _has_nir),
    ("e-mail", _MAIL.search),
    ("phone", _has_phone),
    ("address", _ADDRESS.search),
)
