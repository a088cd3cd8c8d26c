"""The canonical forms of the two national identifiers, so that every stage names a person or a school alike.

Reads nothing, keeps nothing; an identifier never appears in an error.
"""

import re
from unicodedata import normalize

_INE = re.compile(r"[0-9]{9}[A-Z]{2}|[0-9]{10}[A-Z]")
_UAI = re.compile(r"[0-9]{7}[A-Z]")
_UAI_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
_PLACEHOLDERS = frozenset({"", "NULL", "NA", "0"})
_LONGEST_PLACEHOLDER = 4


def _canonical(text: str) -> str:
    folded = normalize("NFC", text).strip()
    # Upper-casing letters outside ASCII may give two letters ("ß" → "SS"): such a text is no national identifier.
    return folded.upper() if folded.isascii() else ""


def canonical_ine(text: str | None) -> str | None:
    """The INE in its canonical form, or None where the text is not an INE (there is no check letter)."""
    if text and _INE.fullmatch(text):
        return text
    ine = _canonical(text or "")
    return ine if _INE.fullmatch(ine) else None


def canonical_uai(text: str | None) -> str | None:
    """The UAI in its canonical form, or None where the text is not a UAI or its check letter is wrong."""
    uai = _canonical(text or "")
    return uai if _UAI.fullmatch(uai) and uai[7] == uai_check_letter(int(uai[:7])) else None


def uai_check_letter(number: int) -> str:
    return _UAI_LETTERS[number % 23]


def is_placeholder(text: str) -> bool:
    """Whether the text stands for "no identifier": it may never become a key or a pseudonym."""
    folded = text.strip()
    if len(folded) > _LONGEST_PLACEHOLDER and folded.isascii():
        return False
    return normalize("NFC", text).strip().upper() in _PLACEHOLDERS


def routing_key(change_source: str, change_id: str, ine: str | None) -> str:
    """The key of a person on every topic inside: the canonical INE where valid, else `<source>:<id>`."""
    return canonical_ine(ine) or f"{change_source}:{change_id}"
