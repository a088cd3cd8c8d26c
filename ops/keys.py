"""The key files on disk: made once, never overwritten, refused when others may read them.

Two files: the sealed keyring, and the key-encryption key that opens it. Kept apart (another volume, another
backup), neither alone names anyone.
"""

import os
import shlex
import stat
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from services.contract.errors import NoKey, WeakKey, WrongSettings
from services.contract.naming import EntityClass, IdType
from services.pseudonymisation.keyring import (
    NONCE_OCTETS,
    EpochState,
    Keyring,
    first_keyring,
    open_keyring,
    seal_keyring,
)
from services.pseudonymisation.pseudonym import Pseudonymiser, derive_provider_key
from services.pseudonymisation.secret import REMEDY, SECRET_OCTETS, refuse_weak_key

KEYRING_FILE = "keyring.sealed"
KEK_FILE = "keyring.kek"
_LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class KeyFiles:
    keyring: Path
    kek: Path


@dataclass(frozen=True, slots=True)
class KeyringStatus:
    """What an operator may see of a keyring: which epochs live, never a root."""

    perimeter: str
    active_epoch: int
    epochs: tuple[tuple[int, EpochState], ...]
    generations: tuple[tuple[str, int], ...]


def init(directory: Path, perimeter: str, random_bytes: Callable[[int], bytes]) -> KeyFiles:
    """Make both files, mode 0600, and read them back; `random_bytes` is a cryptographic source (os.urandom)."""
    files = KeyFiles(directory / KEYRING_FILE, directory / KEK_FILE)
    for path in (files.kek, files.keyring):
        _refuse_existing(path)
    kek, root = random_bytes(SECRET_OCTETS), random_bytes(SECRET_OCTETS)
    refuse_weak_key(root, "root")
    if kek == root:
        raise WeakKey("root: equal to the key-encryption key, so the source of randomness repeats itself")
    sealed = seal_keyring(first_keyring(perimeter, root), kek, random_bytes(NONCE_OCTETS))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create_both(files, kek, sealed)
    except OSError as error:
        raise WrongSettings(f"{directory}: cannot be written ({error.strerror})") from None
    load(files.keyring, files.kek)
    return files


def load(keyring_path: Path, kek_path: Path) -> Keyring:
    """Open the keyring; WeakKey or NoKey says which file is wrong and what to run."""
    return open_keyring(_read(keyring_path), _read(kek_path, private=True))


def status(keyring_path: Path, kek_path: Path) -> KeyringStatus:
    keyring = load(keyring_path, kek_path)
    return KeyringStatus(
        keyring.perimeter,
        keyring.active_epoch.number,
        tuple((epoch.number, epoch.state) for epoch in keyring.epochs),
        keyring.generations,
    )


def read_root(path: Path) -> bytes:
    """Any 32 raw octets, for `sanctuaire pseudonym --root-file`: a vector's root may be a sequence."""
    root = _read(path)
    if len(root) != SECRET_OCTETS:
        raise NoKey(f"{path}: {SECRET_OCTETS} raw octets are needed, {len(root)} were found")
    return root


def pseudonym_line(
    root: bytes,
    *,
    perimeter: str,
    provider: str,
    purpose_family: str,
    epoch: int,
    generation: int,
    entity_class: EntityClass,
    namespace: str,
    id_type: IdType,
    value: str,
    uuid: bool = False,
) -> str:
    """Everything from root to pseudonym in one call, for a person who checks it by other means (no newline)."""
    key = derive_provider_key(root, perimeter, provider, purpose_family, epoch, generation)
    names = Pseudonymiser.under(key)
    name = names.uuid if uuid else names.pseudonym
    return name(entity_class, namespace, id_type, value)


def _read(path: Path, *, private: bool = False) -> bytes:
    try:
        with path.open("rb") as file:
            if private:
                _refuse_shared(path, os.fstat(file.fileno()).st_mode)
            octets = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise NoKey(f"{path}: no such file; {REMEDY}") from None
    except OSError as error:
        raise NoKey(f"{path}: cannot be read ({error.strerror})") from None
    if len(octets) > _LARGEST_FILE:
        raise NoKey(f"{path}: far too large to be a key file")
    return octets


def _refuse_shared(path: Path, mode: int) -> None:
    if stat.S_IMODE(mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise WeakKey(
            f"{path}: others than its owner have access (mode {stat.S_IMODE(mode):04o}); "
            f"run `chmod 600 {shlex.quote(str(path))}`"
        )


def _refuse_existing(path: Path) -> None:
    if path.is_symlink() or path.exists():
        raise WrongSettings(f"{path}: already there, and keys are never overwritten")


def _create_both(files: KeyFiles, kek: bytes, sealed: bytes) -> None:
    _create(files.kek, kek)
    try:
        _create(files.keyring, sealed)
    except BaseException:
        files.kek.unlink()
        raise


def _create(path: Path, octets: bytes) -> None:
    """Write whole or not at all: a private file beside it, then a hard link, which fails if the name is taken."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    beside = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(beside)
    except FileExistsError:
        _refuse_existing(path)
        raise
    finally:
        beside.unlink()
    _settle(path.parent)


def _settle(directory: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
