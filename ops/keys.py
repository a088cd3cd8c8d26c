"""The key files on disk: made once, never overwritten, refused when others may read them.

Two files: the sealed keyring, and the key-encryption key that opens it. Kept apart (another volume, another
backup), neither alone names anyone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ops.key_files import create_both, locked, read_key_file, replace_file
from services.contract.errors import NoKey, WeakKey
from services.contract.identifiers import IdType
from services.contract.naming import EntityClass
from services.pseudonymisation.keyring import Keyring, first_keyring
from services.pseudonymisation.pseudonym import Pseudonymiser, derive_provider_key
from services.pseudonymisation.sealing import NONCE_OCTETS, open_keyring, seal_keyring
from services.pseudonymisation.secret import REMEDY, SECRET_OCTETS, refuse_weak_key

KEYRING_FILE = "keyring.sealed"
KEK_FILE = "keyring.kek"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    keyring: Path
    kek: Path

    @classmethod
    def within(cls, directory: Path) -> Self:
        return cls(directory / KEYRING_FILE, directory / KEK_FILE)


def init(directory: Path, perimeter: str, random_bytes: Callable[[int], bytes]) -> KeyFiles:
    """Make both files, mode 0600, and read them back; `random_bytes` is a cryptographic source (os.urandom)."""
    files = KeyFiles.within(directory)
    kek, root = random_bytes(SECRET_OCTETS), random_bytes(SECRET_OCTETS)
    refuse_weak_key(root, "root")
    if kek == root:
        raise WeakKey("root: equal to the key-encryption key, so the source of randomness repeats itself")
    sealed = seal_keyring(first_keyring(perimeter, root), kek, random_bytes(NONCE_OCTETS))
    create_both((files.kek, kek), (files.keyring, sealed))
    load(files.keyring, files.kek)
    return files


def load(keyring_path: Path, kek_path: Path) -> Keyring:
    """Open the keyring; WeakKey or NoKey says which file is wrong and what to run."""
    sealed = read_key_file(keyring_path, remedy=REMEDY)
    return open_keyring(sealed, read_key_file(kek_path, private=True, remedy=REMEDY))


def change(files: KeyFiles, step: Callable[[Keyring], Keyring], random_bytes: Callable[[int], bytes]) -> Keyring:
    """Take the keyring a step on, sealed anew in the place of the one before; of two at once, one waits.

    Raises:
        WeakKey, NoKey, WrongSettings: the file stays as it was.
    """
    with locked(files.keyring):
        keyring = step(load(files.keyring, files.kek))
        sealed = seal_keyring(
            keyring, read_key_file(files.kek, private=True, remedy=REMEDY), random_bytes(NONCE_OCTETS)
        )
        replace_file(files.keyring, sealed)
        return load(files.keyring, files.kek)


def read_root(path: Path) -> bytes:
    """Any 32 raw octets, for `sanctuaire pseudonym --root-file`: a vector's root may be a sequence."""
    root = read_key_file(path, remedy=REMEDY)
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
