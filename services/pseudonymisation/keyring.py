"""The roots of one perimeter, by epoch, and the sealed form in which they rest.

Bytes in, bytes out: opens no file, draws no randomness. No message, representation or pickle shows a root.

Sealed form, version 1: header (magic, version as BE16, nonce of 12 octets), then AES-256-GCM of a JSON document
with the whole header as associated data.
"""

import json
from dataclasses import dataclass
from enum import StrEnum, auto
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contract.errors import NoKey
from services.pseudonymisation.pseudonym import derive_provider_key
from services.pseudonymisation.secret import REMEDY, SECRET_OCTETS, Secret, refuse_weak_key

NONCE_OCTETS: Final = 12
_MAGIC: Final = b"sanctuaire-keyring"
_VERSION: Final = (1).to_bytes(2, "big")
_PREFIX: Final = _MAGIC + _VERSION
_HEADER_OCTETS: Final = len(_PREFIX) + NONCE_OCTETS
_TAG_OCTETS: Final = 16


class EpochState(StrEnum):
    """Rotation: PENDING → ACTIVE(e+1) with DUAL(e) → RETIRED → DESTROYED."""

    PENDING = auto()
    ACTIVE = auto()
    DUAL = auto()
    RETIRED = auto()
    DESTROYED = auto()


@dataclass(frozen=True, slots=True)
class Epoch:
    """One root and how far its life has gone; only a destroyed epoch has none."""

    number: int
    state: EpochState
    root: Secret | None

    def __post_init__(self) -> None:
        if (self.root is None) != (self.state is EpochState.DESTROYED):
            raise NoKey(f"keyring: epoch {self.number} is {self.state} and its root does not agree with that")
        if self.root is not None and len(self.root.reveal()) != SECRET_OCTETS:
            raise NoKey(f"keyring: the root of epoch {self.number} is not {SECRET_OCTETS} octets")


@dataclass(frozen=True, slots=True)
class Keyring:
    """What the pseudonymisation service may name with; `generations` holds the providers re-keyed in an emergency."""

    perimeter: str
    epochs: tuple[Epoch, ...]
    generations: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        if not self.perimeter:
            raise NoKey("keyring: its perimeter has no name")
        numbers = [epoch.number for epoch in self.epochs]
        if numbers != sorted(set(numbers)) or (numbers and not 1 <= numbers[0] <= numbers[-1] < 2**32):
            raise NoKey("keyring: its epochs are not numbered upwards from 1")
        self._refuse_shared_roots()
        self._refuse_broken_rotation()
        if len(dict(self.generations)) != len(self.generations):
            raise NoKey("keyring: a provider has two generations")

    def _refuse_shared_roots(self) -> None:
        roots = [epoch.root.reveal() for epoch in self.epochs if epoch.root is not None]
        if len(set(roots)) != len(roots):
            raise NoKey("keyring: two epochs share a root, so a rotation between them would change nothing")

    def _refuse_broken_rotation(self) -> None:
        """One ACTIVE; beside it at most one DUAL, older, and one PENDING, newer."""
        in_use = [epoch.state for epoch in self.epochs if epoch.state not in {EpochState.RETIRED, EpochState.DESTROYED}]
        if in_use.count(EpochState.ACTIVE) != 1:
            raise NoKey(f"keyring: exactly one epoch must be active, {in_use.count(EpochState.ACTIVE)} are")
        order = [EpochState.DUAL, EpochState.ACTIVE, EpochState.PENDING]
        if in_use != [state for state in order if state in in_use]:
            raise NoKey("keyring: dual, active and pending epochs are not one of each, in that order")

    @property
    def active_epoch(self) -> Epoch:
        return next(epoch for epoch in self.epochs if epoch.state is EpochState.ACTIVE)

    def generation(self, provider: str) -> int:
        return dict(self.generations).get(provider, 0)

    def provider_key(self, perimeter: str, provider: str, purpose_family: str, epoch: int | None = None) -> bytes:
        """`K(p,e)` of the active epoch, or of a dual one asked for by number; NoKey for any other."""
        if perimeter != self.perimeter:
            raise NoKey("keyring: it belongs to another perimeter")
        number = self.active_epoch.number if epoch is None else epoch
        root = next((known.root for known in self.epochs if known.number == number and _names(known)), None)
        if root is None:
            raise NoKey(f"keyring: epoch {number} does not name anyone (neither active nor dual)")
        return derive_provider_key(
            root.reveal(), perimeter, provider, purpose_family, number, self.generation(provider)
        )


def _names(epoch: Epoch) -> bool:
    return epoch.state in {EpochState.ACTIVE, EpochState.DUAL}


def first_keyring(perimeter: str, root: bytes) -> Keyring:
    return Keyring(perimeter, (Epoch(1, EpochState.ACTIVE, Secret(root)),))


def seal_keyring(keyring: Keyring, kek: bytes, nonce: bytes) -> bytes:
    """Seal under `kek`; the nonce is 12 octets, fresh and random for every sealing (NIST SP 800-38D §8.2.2)."""
    refuse_weak_key(kek)
    if len(nonce) != NONCE_OCTETS:
        raise NoKey(f"keyring: a nonce of {NONCE_OCTETS} octets is needed, {len(nonce)} were given")
    header = _PREFIX + nonce
    return header + AESGCM(kek).encrypt(nonce, _document(keyring), header)


def open_keyring(sealed: bytes, kek: bytes) -> Keyring:
    """WeakKey for a key-encryption key that cannot be one, NoKey for anything else that does not open."""
    refuse_weak_key(kek)
    if not sealed.startswith(_MAGIC):
        raise NoKey(f"keyring: not a sealed keyring; {REMEDY}")
    if not sealed.startswith(_PREFIX):
        raise NoKey("keyring: sealed in a format that this release does not read")
    if len(sealed) < _HEADER_OCTETS + _TAG_OCTETS:
        raise NoKey("keyring: cut short; restore it from a backup")
    header, ciphertext = sealed[:_HEADER_OCTETS], sealed[_HEADER_OCTETS:]
    try:
        document = AESGCM(kek).decrypt(header[-NONCE_OCTETS:], ciphertext, header)
    except InvalidTag:
        raise NoKey(
            "keyring: sealed with another key-encryption key, altered, or cut short; restore both from a backup"
        ) from None
    keyring = _parse(document)
    # Raised out here: within `except`, the parser's error and the roots it quotes would ride along as context.
    if keyring is None:
        raise NoKey("keyring: opened, but what it holds is not a keyring of version 1")
    return keyring


def _document(keyring: Keyring) -> bytes:
    epochs = [
        {
            "number": epoch.number,
            "state": epoch.state.value,
            "root": None if epoch.root is None else epoch.root.reveal().hex(),
        }
        for epoch in keyring.epochs
    ]
    contents = {"perimeter": keyring.perimeter, "epochs": epochs, "generations": dict(keyring.generations)}
    return json.dumps(contents, sort_keys=True).encode()


def _parse(document: bytes) -> Keyring | None:
    try:
        match json.loads(document):
            case {"perimeter": str(perimeter), "epochs": [*epochs], "generations": {**generations}}:
                return Keyring(
                    perimeter,
                    tuple(map(_parse_epoch, epochs)),
                    tuple(map(_parse_generation, sorted(generations.items()))),
                )
    except ValueError:
        return None
    return None


def _parse_epoch(epoch: object) -> Epoch:
    match epoch:
        case {"number": int(number), "state": str(state), "root": str(root)}:
            return Epoch(number, EpochState(state), Secret(bytes.fromhex(root)))
        case {"number": int(number), "state": str(state), "root": None}:
            return Epoch(number, EpochState(state), None)
        case _:
            raise ValueError


def _parse_generation(pair: tuple[object, object]) -> tuple[str, int]:
    match pair:
        case (str(provider), int(generation)):
            return provider, generation
        case _:
            raise ValueError
