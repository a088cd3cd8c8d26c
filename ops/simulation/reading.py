"""The files of a simulation: an AAF export or lines of changes, and lines of consent decisions."""

from collections.abc import Iterator
from pathlib import Path

from ops.publishing.exports import ExportReading, RefusedExport
from services.contract.changes import MAX_CHANGE_BYTES, Change
from services.ingress.formats.aaf import Read
from services.ingress.identifiers import Identifiers
from services.ingress.reading import Item, Refused, read_lines

LINES = frozenset({".ndjson", ".jsonl"})


class Reading:
    """Iterate once, over every change and whatever was not taken; `bytes_read` says how far it is."""

    def __init__(self, path: Path, source: str | None) -> None:
        self.bytes_read = 0
        self._path = path
        self._source = source

    def __iter__(self) -> Iterator[Read | RefusedExport | Refused]:
        return self._lines() if self._path.suffix in LINES else self._export()

    def _lines(self) -> Iterator[Change | Refused]:
        with self._path.open("rb") as stream:
            for read in read_lines(stream, Change, MAX_CHANGE_BYTES):
                self.bytes_read = stream.tell()
                yield read.payload if isinstance(read, Item) else read

    def _export(self) -> Iterator[Read | RefusedExport]:
        schools = Identifiers()
        reading = ExportReading(self._path, self._source, schools.structures_of)
        for read in reading:
            self.bytes_read = reading.bytes_read
            if isinstance(read, Change) and read.entity == "school":
                schools.learn(read)
            yield read
