"""How an INE, a NIR, an e-mail address, a telephone number and a postal address are written in France. Pure.

A text is first made plain, so that no accent, script or invisible character hides a form.
"""

import re
from collections.abc import Callable
from typing import Final, Literal
from unicodedata import category, decimal, normalize

Form = Literal["ine", "nir", "e-mail", "phone", "address"]


def plain(text: str) -> str:
    """In small letters without accents; digits, dashes and blanks of any script as those of ASCII."""
    return "".join(_ascii(letter) for letter in normalize("NFKD", text.lower()))


def _ascii(letter: str) -> str:
    if letter.isascii():
        return letter
    number = decimal(letter, None)
    if number is not None:
        return str(number)
    return {"Pd": "-", "Zs": " ", "Mn": "", "Cf": ""}.get(category(letter), letter)


HINT = re.compile(r"[0-9@]|[\[(]\s?(?:at|arobase)\s?[\])]")
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
    """The key of the thirteen first characters; Corsica counts as 19 and 18 (INSEE)."""
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

FORMS: Final[tuple[tuple[Form, Callable[[str], object]], ...]] = (
    ("ine", _INE.search),
    ("nir", _has_nir),
    ("e-mail", _MAIL.search),
    ("phone", _has_phone),
    ("address", _ADDRESS.search),
)
