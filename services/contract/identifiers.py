"""The canonical form of an identifier, so that every stage names a person, a school or a group alike.

Reads nothing, keeps nothing; an identifier never appears in an error.
"""

import re
from typing import Final, Literal, assert_never
from unicodedata import normalize

from services.contract.errors import NotAnIdentifier

IdType = Literal["INE", "UAI", "local"]

WHITE_SPACE: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The Unicode property White_Space (PropList.txt); `str.strip()` alone would also eat U+001C to U+001F."""

_INE: Final = re.compile(r"[0-9]{9}[A-Z]{2}|[0-9]{10}[A-Z]")
_UAI: Final = re.compile(r"[0-9]{7}[A-Z]")
_UAI_LETTERS: Final = "ABCDEFGHJKLMNPRSTUVWXYZ"
_PLACEHOLDERS: Final = frozenset({"", "NULL", "NA", "0"})
_LONGEST_PLACEHOLDER: Final = 4


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


def in_one_spelling(text: str) -> str:
    """An identifier as it is; ValueError, without it, where it is not in NFC.

    A pseudonym is made of NFC and a key of octets: in two spellings, one person would be two with one name, and what
    is said of the one would never be heard of the other.
    """
    if not text.isascii() and normalize("NFC", text) != text:
        raise ValueError("not in NFC")
    return text


def routing_key(change_source: str, change_id: str, ine: str | None) -> str:
    """The key of a person on every topic inside: the canonical INE where valid, else `<source>:<id>`."""
    return canonical_ine(ine) or f"{change_source}:{change_id}"


def canonical_value(id_type: IdType, text: str) -> str:
    """The one spelling that is pseudonymised; NotAnIdentifier for a placeholder or what is not of this type."""
    if id_type == "INE" and canonical_ine(text) == text:
        return text  # as nearly every one is: it comes from here
    trimmed = (text if text.isascii() else normalize("NFC", text)).strip(WHITE_SPACE)
    if is_placeholder(trimmed):
        raise NotAnIdentifier(f"{id_type}: a placeholder")
    match id_type:
        case "local":
            return _unicode(trimmed)
        case "INE":
            return _registered("INE", canonical_ine(trimmed))
        case "UAI":
            return _registered("UAI", canonical_uai(trimmed))
        case _:
            assert_never(id_type)


def _registered(id_type: IdType, canonical: str | None) -> str:
    if canonical is None:
        raise NotAnIdentifier(f"{id_type}: malformed")
    return canonical


def _unicode(value: str) -> str:
    """Refuse a lone surrogate here, where no exception quotes the value (UnicodeEncodeError does)."""
    if not value.isascii() and any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise NotAnIdentifier("local: not Unicode text")
    return value
