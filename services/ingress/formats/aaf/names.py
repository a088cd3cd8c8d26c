"""What a file's name says, and the order in which the files of a set are read."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from services.ingress.formats.aaf.reads import NamedStream

_NAME = re.compile(
    r"(?P<project>[A-Za-z0-9][A-Za-z0-9._-]{0,62})_(?P<form>Complet|Delta)_(?P<date>20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
    r"_(?P<part>Eleve|PersRelEleve|PersEducNat|EtabEducNat|MatiereEducNat|MefEducNat)_\d{4}\.xml",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file whose name is that of an AAF export: `<PROJET>_Complet|Delta_<AAAAMMJJ>_<Categorie>_<NNNN>.xml`."""

    stream: NamedStream
    project: str
    date: str
    is_delta: bool
    part: str

    @property
    def set_version(self) -> str:
        """The head of the version of every change in this file: complete before delta on the same day."""
        return f"{self.date}.{int(self.is_delta)}"


def base_name(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def parse_name(stream: NamedStream) -> ExportFile | None:
    found = _NAME.fullmatch(base_name(stream.name))
    if found is None:
        return None
    return ExportFile(stream, found["project"], found["date"], found["form"] == "Delta", found["part"])


def in_order(files: Iterable[ExportFile]) -> list[ExportFile]:
    """By date, complete before delta, then name: a later file speaks of what an earlier one has brought."""
    return sorted(files, key=lambda file: (file.date, file.is_delta, base_name(file.stream.name)))
