"""Octets that never show themselves, and what a key-encryption key may not look like. Draws no randomness."""

from hmac import compare_digest
from itertools import pairwise
from typing import Final, Never

from services.contract.errors import WeakKey

SECRET_OCTETS: Final = 32
REMEDY: Final = "make a good one with `sanctuaire keys init`"

_FEWEST_DISTINCT = 17
"""32 random octets have fewer than 17 distinct ones once in 2^48; a 16-octet key written twice always has."""


class Secret:
    """A root as a value: it can be passed, compared and copied, but not printed, formatted or pickled."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def reveal(self) -> bytes:
        return self._octets

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and compare_digest(self._octets, other._octets)

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret is a trace of it

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _memo: object) -> "Secret":
        """`dataclasses.asdict` copies what it finds: let it find the same closed box."""
        return self

    def __reduce_ex__(self, _protocol: object) -> Never:
        raise TypeError("a secret is not pickled")


def refuse_weak_key(key: bytes, what: str = "key-encryption key") -> None:
    """Raise WeakKey, naming the command that makes a good one, if `key` was typed, counted or cut short."""
    weakness = _weakness(key)
    if weakness is not None:
        raise WeakKey(f"{what}: {weakness}; {REMEDY}")


def _weakness(key: bytes) -> str | None:
    """A random key is refused by mistake less than once in 2^34 (one that happens to read as UTF-8)."""
    if _is_text(key):
        return "text, where raw random octets are needed"
    if len(key) != SECRET_OCTETS:
        return f"{len(key)} octets, where {SECRET_OCTETS} are needed"
    if len(set(key)) < _FEWEST_DISTINCT:
        return "too few distinct octets"
    if len({(after - before) % 256 for before, after in pairwise(key)}) == 1:
        return "a sequence"
    return None


def _is_text(key: bytes) -> bool:
    """Hexadecimal, base64 or a passphrase, with or without its end of line."""
    try:
        text = key.decode()
    except UnicodeDecodeError:
        return False
    return bool(key) and all(character.isprintable() or character.isspace() for character in text)
