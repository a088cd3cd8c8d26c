"""Files that hold a key: made once, never overwritten, refused when others may read them."""

import fcntl
import os
import shlex
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services.contract.errors import NoKey, WeakKey, WrongSettings

_LARGEST_FILE = 1 << 20


def read_key_file(path: Path, *, private: bool = False, remedy: str) -> bytes:
    """The octets of a key file, refused where it is private and others than its owner have access.

    Raises:
        NoKey, WeakKey: which file, and what to run.
    """
    try:
        with path.open("rb") as file:
            if private:
                _refuse_shared(path, os.fstat(file.fileno()).st_mode)
            octets = file.read(_LARGEST_FILE + 1)
    except FileNotFoundError:
        raise NoKey(f"{path}: no such file; {remedy}") from None
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


def refuse_existing(path: Path) -> None:
    if path.is_symlink() or path.exists():
        raise WrongSettings(f"{path}: already there, and keys are never overwritten")


def create_both(first: tuple[Path, bytes], second: tuple[Path, bytes]) -> None:
    """Write two files that are worth nothing alone, mode 0600; where the second cannot be, the first is not either.

    Raises:
        WrongSettings: one is there already, and keys are never overwritten; or the folder cannot be written.
    """
    folder = first[0].parent
    for path, _ in (first, second):
        refuse_existing(path)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _create(*first)
        try:
            _create(*second)
        except BaseException:
            first[0].unlink()
            raise
    except OSError as error:
        raise WrongSettings(f"{folder}: cannot be written ({error.strerror})") from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be the only one who changes this file; the lock goes with the process."""
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise NoKey(f"{path}: cannot be read ({error.strerror})") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def replace_file(path: Path, octets: bytes) -> None:
    """Write whole or not at all, in the place of what is there, mode 0600.

    Raises:
        WrongSettings: the folder cannot be written; the file is as it was.
    """
    try:
        beside = _beside(path, octets)
        try:
            beside.replace(path)
        except BaseException:
            beside.unlink()
            raise
        _settle(path.parent)
    except OSError as error:
        raise WrongSettings(f"{path}: cannot be written ({error.strerror})") from None


def _beside(path: Path, octets: bytes) -> Path:
    """A private file in the same folder, durably written."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)


def _create(path: Path, octets: bytes) -> None:
    """Write whole or not at all: a private file beside it, then a hard link, which fails if the name is taken."""
    beside = _beside(path, octets)
    try:
        path.hardlink_to(beside)
    except FileExistsError:
        refuse_existing(path)
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
