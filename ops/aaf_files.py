"""Where an AAF export lies: a file, a folder or a .tgz, opened for the reader and never unpacked to disk.

A folder inside a folder (or inside an archive) is a set of its own: on platforms of several académies each has one,
and ids are unique only inside it.
"""

import gzip
import io
import tarfile
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, cast

from services.contract.errors import NotThisFormat
from services.ingress.formats.aaf import NamedStream, Read, read_set

MAX_EXPANDED_BYTES = 256 << 30
"""Eight national completes; an archive that promises more is a decompression bomb."""
MAX_RATIO = 200
"""How much longer than itself an archive may become: AAF files shrink 15 to 40 times, zeros 1000 times."""
MAX_MEMBERS = 100_000
_RATIO_FROM_BYTES = 64 << 20
_LARGEST_READ = 16 << 20

Opener = Callable[[], BinaryIO]

_BROKEN = (OSError, EOFError, zlib.error, tarfile.TarError)


@dataclass(frozen=True, slots=True)
class AafSet:
    """What one folder holds: one set of files, of one platform."""

    folder: str
    files: tuple[NamedStream, ...]


class _Bounded(io.RawIOBase):
    """A stream that ends in NotThisFormat where it breaks, or becomes longer than it may."""

    def __init__(self, stream: BinaryIO, limit_bytes: int) -> None:
        self._stream = stream
        self._limit = limit_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        # A forged header of a tar makes tarfile ask for gigabytes at once, to hold them in memory.
        if not 0 <= size <= _LARGEST_READ:
            raise NotThisFormat("archive: a header of more than 16 MiB")
        try:
            chunk = self._stream.read(size)
            if self._stream.tell() > self._limit:
                raise NotThisFormat("archive: longer when unpacked than an export can be")
        except _BROKEN:
            raise NotThisFormat("file or archive: damaged") from None
        return chunk

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_SET and offset > self._limit:
            raise NotThisFormat("archive: longer when unpacked than an export can be")
        try:
            return self._stream.seek(offset, whence)
        except _BROKEN:
            raise NotThisFormat("file or archive: damaged") from None

    def tell(self) -> int:
        return self._stream.tell()

    def close(self) -> None:
        self._stream.close()
        super().close()


@contextmanager
def open_export(path: Path) -> Iterator[tuple[AafSet, ...]]:
    """The sets found under a path, by folder; streams may be read while the context lasts.

    Raises:
        NotThisFormat: there is nothing at that path, or the archive cannot be read.
    """
    named: list[tuple[str, Opener]]
    with ExitStack() as stack:
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if file.is_file()]
            named = [(file.relative_to(path).as_posix(), partial(_open_file, file)) for file in files]
        elif not path.is_file():
            raise NotThisFormat("nothing to read at that path")
        elif path.name.lower().endswith((".tgz", ".tar.gz")):
            named = _members(stack.enter_context(_open_archive(path)))
        else:
            named = [(path.name, partial(_open_file, path))]
        yield _by_folder(named)


def read_export(path: Path, source: str | None, known_structures: Mapping[str, str]) -> Iterator[Read]:
    """Read all the sets under a path, one after the other (services.ingress.formats.aaf.read_set)."""
    with open_export(path) as sets:
        if source is not None and len(sets) > 1:
            raise NotThisFormat("several folders hold exports, whose ids may collide: one source cannot name them all")
        for one in sets:
            yield from read_set(one.files, source, known_structures)


def _open_file(path: Path) -> BinaryIO:
    try:
        return cast("BinaryIO", _Bounded(path.open("rb"), MAX_EXPANDED_BYTES))
    except OSError:
        raise NotThisFormat("file: cannot be opened") from None


@contextmanager
def _open_archive(path: Path) -> Iterator[tarfile.TarFile]:
    packed = path.stat().st_size
    limit = min(MAX_EXPANDED_BYTES, max(_RATIO_FROM_BYTES, packed * MAX_RATIO))
    with gzip.open(path, "rb") as unpacked:
        stream = _Bounded(cast("BinaryIO", unpacked), limit)
        with _tar(stream) as archive:
            yield archive


def _tar(stream: _Bounded) -> tarfile.TarFile:
    try:
        return tarfile.TarFile(fileobj=cast("Any", stream))
    except _BROKEN:
        raise NotThisFormat("archive: not a .tgz") from None


def _members(archive: tarfile.TarFile) -> list[tuple[str, Opener]]:
    named: list[tuple[str, Opener]] = []
    try:
        for member in archive:
            if len(named) >= MAX_MEMBERS:
                raise NotThisFormat("archive: more files than an export can have")
            if not member.isdir():
                named.append((member.name.removeprefix("./"), partial(_open_member, archive, member)))
    except (*_BROKEN, ValueError):
        raise NotThisFormat("archive: damaged") from None
    return named


def _open_member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    # A link could name a file outside the archive's own set; a sparse file is gigabytes written in one header.
    if not member.isreg() or member.issparse():
        raise NotThisFormat("archive: a member that is not a regular file")
    stream = archive.extractfile(member)
    if stream is None:
        raise NotThisFormat("archive: a member without content")
    return cast("BinaryIO", _Bounded(cast("BinaryIO", stream), MAX_EXPANDED_BYTES))


def _by_folder(named: list[tuple[str, Opener]]) -> tuple[AafSet, ...]:
    folders: defaultdict[str, list[NamedStream]] = defaultdict(list)
    for name, opener in named:
        folders[PurePosixPath(name).parent.as_posix()].append(NamedStream(name, opener))
    return tuple(AafSet(folder, tuple(files)) for folder, files in sorted(folders.items()))
