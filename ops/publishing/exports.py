"""An AAF export as it is read for publishing: set by set, always knowing which file and record it is at."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from ops.aaf_files import AafSet, open_export
from services.contract.changes import Change
from services.contract.errors import NotThisFormat
from services.ingress.formats.aaf import NamedStream, Read, RefusedFile, RefusedRecord, read_set, source_of


@dataclass(frozen=True, slots=True)
class RefusedExport:
    """A set, or all of the export, that cannot be read; `folder` is empty where it is all of it."""

    folder: str
    why: str


class _Counted:
    """A file that tells how far it was read."""

    def __init__(self, stream: BinaryIO, progress: Callable[[int], None]) -> None:
        self._stream = stream
        self._progress = progress
        self._read = 0

    def read(self, size: int) -> bytes:
        chunk = self._stream.read(size)
        self._read += len(chunk)
        self._progress(self._read)
        return chunk

    def close(self) -> None:
        self._stream.close()


class ExportReading:
    """Iterate once; `file` and `record` say where the last read came from.

    `structures_of` is asked when a set begins, so that it knows the schools of the sets before.
    """

    def __init__(self, path: Path, source: str | None, structures_of: Callable[[str], Mapping[str, str]]) -> None:
        self.file = ""
        self.record = 0
        self._path = path
        self._source = source
        self._structures_of = structures_of
        self._sizes: dict[str, int] = {}
        self._found = False

    @property
    def bytes_read(self) -> int:
        """Of all files, each once, though each is opened twice."""
        return sum(self._sizes.values())

    def __iter__(self) -> Iterator[Read | RefusedExport]:
        try:
            with open_export(self._path) as sets:
                _refuse_one_name_for_many(self._source, sets)
                for one in sets:
                    yield from self._read(one)
        except NotThisFormat as error:
            self._found = True
            yield RefusedExport("", str(error))
        if not self._found:
            yield RefusedExport("", "no file there has the name of an AAF export, <PROJECT>_Complet_<date>_…_0000.xml")

    def _read(self, one: AafSet) -> Iterator[Read | RefusedExport]:
        files = [self._watched(one.folder, stream) for stream in one.files]
        try:
            source = self._source or source_of(files)
            self._found = self._found or source_of(files) is not None
            known = self._structures_of(source) if source is not None else {}
            for read in read_set(files, source, known):
                self.record += isinstance(read, Change | RefusedRecord)
                self._found = self._found or isinstance(read, RefusedFile)
                yield read
        except NotThisFormat as error:
            self._found = True
            yield RefusedExport(one.folder, str(error))

    def _watched(self, folder: str, stream: NamedStream) -> NamedStream:
        def opener() -> BinaryIO:
            self.file, self.record = stream.name, 0
            return cast(
                "BinaryIO", _Counted(stream.opener(), lambda read: self._advance(f"{folder}/{stream.name}", read))
            )

        return NamedStream(stream.name, opener)

    def _advance(self, name: str, read: int) -> None:
        self._sizes[name] = max(read, self._sizes.get(name, 0))


def _refuse_one_name_for_many(source: str | None, sets: tuple[AafSet, ...]) -> None:
    if source is not None and len(sets) > 1:
        raise NotThisFormat("several folders hold exports, whose ids may collide: publish each under its own source")


def size_of(path: Path) -> int | None:
    """How many bytes there are to read; not known of an archive before it is read."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*.xml") if file.is_file())
    return None if path.suffix.lower() in {".tgz", ".gz"} else path.stat().st_size
