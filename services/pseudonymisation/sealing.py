"""The sealed form in which a keyring rests. Bytes in, bytes out: opens no file, draws no randomness.

Header (magic, version as BE16, nonce of 12 octets), then AES-256-GCM of a JSON document with the whole header as
associated data. Version 2 adds serials and the states of generations; version 1 is still read.
"""

import json
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.contract.errors import NoKey
from services.pseudonymisation.keyring import Epoch, EpochState, Generation, Keyring
from services.pseudonymisation.secret import REMEDY, Secret, refuse_weak_key

NONCE_OCTETS: Final = 12
_MAGIC: Final = b"sanctuaire-keyring"
_VERSIONS: Final = ((1).to_bytes(2, "big"), (2).to_bytes(2, "big"))
_PREFIX: Final = _MAGIC + _VERSIONS[-1]
_HEADER_OCTETS: Final = len(_PREFIX) + NONCE_OCTETS
_TAG_OCTETS: Final = 16


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
    if not sealed.startswith(tuple(_MAGIC + version for version in _VERSIONS)):
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
        raise NoKey("keyring: opened, but what it holds is not a keyring")
    return keyring


def _document(keyring: Keyring) -> bytes:
    epochs = [
        {
            "number": epoch.number,
            "state": epoch.state.value,
            "since": epoch.since,
            "root": None if epoch.root is None else epoch.root.reveal().hex(),
        }
        for epoch in keyring.epochs
    ]
    generations = [
        {"provider": each.provider, "number": each.number, "state": each.state.value, "since": each.since}
        for each in keyring.generations
    ]
    contents = {
        "perimeter": keyring.perimeter, "serial": keyring.serial, "epochs": epochs, "generations": generations,
    }  # fmt: skip
    return json.dumps(contents, sort_keys=True).encode()


def _parse(document: bytes) -> Keyring | None:
    try:
        match json.loads(document):
            case {"perimeter": str(perimeter), "epochs": [*epochs], "generations": [*generations], "serial": int(at)}:
                return Keyring(perimeter, tuple(map(_epoch, epochs)), tuple(map(_generation, generations)), at)
            case {"perimeter": str(perimeter), "epochs": [*epochs], "generations": {**numbers}}:
                generations = [_generation_of(pair) for pair in sorted(numbers.items())]
                return Keyring(perimeter, tuple(_epoch({**each, "since": 0}) for each in epochs), tuple(generations))
    except (ValueError, TypeError):
        return None
    return None


def _epoch(epoch: object) -> Epoch:
    match epoch:
        case {"number": int(number), "state": str(state), "root": str(root), "since": int(since)}:
            return Epoch(number, EpochState(state), Secret(bytes.fromhex(root)), since)
        case {"number": int(number), "state": str(state), "root": None, "since": int(since)}:
            return Epoch(number, EpochState(state), None, since)
        case _:
            raise ValueError


def _generation(generation: object) -> Generation:
    match generation:
        case {"provider": str(provider), "number": int(number), "state": str(state), "since": int(since)}:
            return Generation(provider, number, EpochState(state), since)
        case _:
            raise ValueError


def _generation_of(pair: tuple[object, object]) -> Generation:
    """As version 1 had them: the number alone."""
    match pair:
        case (str(provider), int(number)):
            return Generation(provider, number, EpochState.ACTIVE, 0)
        case _:
            raise ValueError
