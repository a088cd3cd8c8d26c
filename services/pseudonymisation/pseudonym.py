"""From a root to a provider's key, and from that key to pairwise names (pseudonyms.md, Construction).

Keeps no table, so nothing here turns a pseudonym back; reads no file, draws no randomness.
"""

import hashlib
import re
from _hashlib import HASH
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self, get_args
from unicodedata import normalize

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.contract.errors import NoKey, NotAnIdentifier, WrongSettings
from services.contract.identifiers import IdType, canonical_value
from services.contract.naming import EntityClass, NamedBy
from services.contract.operations import Pseudonym
from services.pseudonymisation.notation import base32_of_20, uuid8

KEY_OCTETS = 32
PSEUDONYM_LETTERS: Final = 32
ROOT_LABEL: Final = b"ppg/root/v1"
PAIRWISE_LABEL: Final = "ppg/pairwise/v1"
RELAY_LABEL: Final = "ppg/relay/v1"
EVENT_LABEL: Final = "ppg/event/v1"

_SHA256_BLOCK = 64
_INNER_PAD = bytes([octet ^ 0x36 for octet in range(256)])
_OUTER_PAD = bytes([octet ^ 0x5C for octet in range(256)])
_DOMAIN = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+")


def pae(parts: Sequence[bytes]) -> bytes:
    """PASETO's pre-authentication encoding: no two lists of parts are written alike."""
    return len(parts).to_bytes(8, "little") + b"".join(map(_part, parts))


_LENGTHS: Final = [length.to_bytes(8, "little") for length in range(256)]


def _part(octets: bytes) -> bytes:
    length = len(octets)
    return (_LENGTHS[length] if length < len(_LENGTHS) else length.to_bytes(8, "little")) + octets


def _text(what: str, text: str) -> bytes:
    """UTF-8 of NFC; an empty text would let two settings that are both missing agree."""
    if not text:
        raise WrongSettings(f"{what}: empty")
    try:
        return (text if text.isascii() else normalize("NFC", text)).encode()
    except UnicodeEncodeError:
        raise WrongSettings(f"{what}: not Unicode text") from None


def _number(what: str, number: int, octets: int) -> bytes:
    try:
        return number.to_bytes(octets, "big")
    except OverflowError:
        raise WrongSettings(f"{what}: not an unsigned integer of {octets} octets") from None


def hkdf_sha256(ikm: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    """RFC 5869."""
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=info).derive(ikm)


def derive_provider_key(  # noqa: PLR0913, PLR0917 — the root, then the parts of HKDF's info in their order
    root: bytes, perimeter: str, provider: str, purpose_family: str, epoch: int, generation: int
) -> bytes:
    """`K(p,e)`, 32 octets: says nothing about the root nor about the key of another provider."""
    if len(root) != KEY_OCTETS:
        raise NoKey(f"root: {KEY_OCTETS} octets are needed, {len(root)} were given")
    info = pae(
        [
            PAIRWISE_LABEL.encode(),
            _text("perimeter", perimeter),
            _text("provider", provider),
            _text("purpose family", purpose_family),
            _number("epoch", epoch, 4),
            _number("generation", generation, 4),
        ]
    )
    return hkdf_sha256(root, ROOT_LABEL, info, KEY_OCTETS)


_OCTETS_8: Final = (8).to_bytes(8, "little")
_EVENT_BEGINNING: Final = (
    (3).to_bytes(8, "little") + _part(EVENT_LABEL.encode()) + PSEUDONYM_LETTERS.to_bytes(8, "little")
)


@lru_cache(maxsize=4096)
def _before_value(label: str, entity_class: EntityClass, namespace: str, id_type: IdType) -> bytes:
    """The encoding of a five-part list up to its value, which alone differs from record to record."""
    if entity_class not in get_args(EntityClass):
        raise NotAnIdentifier("entity class: not person, school or group")
    if id_type not in get_args(IdType):
        raise NotAnIdentifier("id type: not INE, UAI or local")
    parts = (label.encode(), entity_class.encode(), _text("namespace", namespace), id_type.encode())
    return (5).to_bytes(8, "little") + b"".join(map(_part, parts))


@lru_cache
def _is_domain(text: str) -> bool:
    return _DOMAIN.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class KeyedHash:
    """HMAC-SHA-256 under one key, its two pads hashed once: 0.5 µs a message, `hmac` copies take 0.8 µs."""

    _inner: HASH
    _outer: HASH

    @classmethod
    def under(cls, key: bytes) -> Self:
        """RFC 2104 §2: a key longer than a block is hashed first."""
        block = (hashlib.sha256(key).digest() if len(key) > _SHA256_BLOCK else key).ljust(_SHA256_BLOCK, b"\0")
        return cls(hashlib.sha256(block.translate(_INNER_PAD)), hashlib.sha256(block.translate(_OUTER_PAD)))

    def after(self, beginning: bytes) -> Self:
        """The same key, with what all messages of one kind begin with already hashed."""
        inner = self._inner.copy()
        inner.update(beginning)
        return type(self)(inner, self._outer)

    def digest(self, message: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(message)
        outer.update(inner.digest())
        return outer.digest()


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Names:
    """The names of one class, namespace and type under one provider key: only the value is left to hash."""

    _keyed: KeyedHash
    _type: IdType

    def name(self, value: str) -> Pseudonym:
        """32 base32 characters (160 bits), safe where case is ignored."""
        return Pseudonym(self.written(value).decode("ascii"))

    def written(self, value: str) -> bytes:
        """The same in ASCII, as a key and a payload want it."""
        return base32_of_20(self.digest(value))

    def digest(self, value: str) -> bytes:
        return self._keyed.digest(_part(canonical_value(self._type, value).encode()))

    def alias(self, value: str, domain: str) -> str:
        """An e-mail address in a domain that this provider's relay has."""
        if not _is_domain(domain):
            raise WrongSettings("relay domain: not a lower-case domain name")
        return f"{self.name(value)}@{domain}"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Pseudonymiser:
    """All the names that one provider key gives; a value that is no identifier raises NotAnIdentifier."""

    _keyed: KeyedHash
    _events: KeyedHash

    @classmethod
    def under(cls, provider_key: bytes) -> Self:
        if len(provider_key) != KEY_OCTETS:
            raise NoKey(f"provider key: {KEY_OCTETS} octets are needed, {len(provider_key)} were given")
        keyed = KeyedHash.under(provider_key)
        return cls(keyed, keyed.after(_EVENT_BEGINNING))

    def names(self, entity_class: EntityClass, namespace: str, id_type: IdType, label: str = PAIRWISE_LABEL) -> Names:
        """What names many of one kind: faster than `pseudonym` one by one, and alike."""
        return Names(self._keyed.after(_before_value(label, entity_class, namespace, id_type)), id_type)

    def pseudonym(self, entity_class: EntityClass, namespace: str, id_type: IdType, value: str) -> Pseudonym:
        """32 base32 characters (160 bits), safe where case is ignored."""
        return self.names(entity_class, namespace, id_type).name(value)

    def name(self, named_by: NamedBy) -> Pseudonym:
        return self.pseudonym(named_by.entity_class, named_by.namespace, named_by.type, named_by.value)

    def uuid(self, entity_class: EntityClass, namespace: str, id_type: IdType, value: str) -> str:
        """The same pseudonym as a UUIDv8, for a provider that wants one: 122 of its first 128 bits."""
        return uuid8(self.names(entity_class, namespace, id_type).digest(value))

    def relay_alias(self, entity_class: EntityClass, namespace: str, id_type: IdType, value: str, domain: str) -> str:
        """An e-mail address that cannot be told from the pseudonym, nor it from the address."""
        return self.names(entity_class, namespace, id_type, RELAY_LABEL).alias(value, domain)

    def event_id(self, pseudonym: Pseudonym, seq: int) -> str:
        """HMAC(K(p,e), PAE("ppg/event/v1", pseudonym, BE64(seq))), written as a pseudonym is.

        The key is the provider's, the label and the count of parts keep it apart from names: the same
        operation always has the same id, and two providers cannot match theirs.
        """
        letters = pseudonym.encode()
        if len(letters) != PSEUDONYM_LETTERS:
            raise WrongSettings("pseudonym: not one of ours")
        _number("seq", seq, 8)
        return self.event(letters, seq).decode("ascii")

    def event(self, pseudonym: bytes, seq: int) -> bytes:
        """The same in ASCII, of a pseudonym in ASCII that was made here."""
        return base32_of_20(self._events.digest(pseudonym + _OCTETS_8 + seq.to_bytes(8, "big")))
