"""A set of AAF files to changes, in constant memory.

A set is read twice: first the schools and the headers, for a person names her school by an id that only the set
explains; then everything, in the order in which it happened. Opens nothing by itself.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

from services.contract.errors import NotThisFormat
from services.ingress.formats.aaf.grammar import Request
from services.ingress.formats.aaf.mapping import Mapper, explained_structure
from services.ingress.formats.aaf.names import ExportFile, base_name, in_order, parse_name
from services.ingress.formats.aaf.parser import RequestParser
from services.ingress.formats.aaf.reads import (
    BadRecord,
    BrokenFile,
    NamedStream,
    Read,
    RefusedFile,
    RefusedRecord,
    Remark,
    SetAside,
)

CHUNK_BYTES = 1 << 16


def read_set(files: Sequence[NamedStream], source: str | None, known_structures: Mapping[str, str]) -> Iterator[Read]:
    """Read what one platform exported, as one set: one folder, one archive, one file.

    `known_structures` gives the UAI of jointure ids that were published before; the set itself comes first.
    Without `source` it is `ac-<codeAcademieExport>`, else the project in the files' names, in lower case; raises
    NotThisFormat where the set names two, since ids are unique only inside one.
    """
    exports, others = _sort_out(files)
    yield from others
    if not exports:
        return
    survey = _survey(exports)
    mapper = Mapper(source or _source(exports, survey.academies), {**known_structures, **survey.structures})
    numbers: Counter[str] = Counter()
    for export in exports:
        yield from _read_file(export, mapper, numbers)
    for name, count in sorted(mapper.set_aside.items()):
        yield SetAside("attribute", name, count)


def source_of(files: Sequence[NamedStream]) -> str | None:
    """The source that `read_set` would take by default, or None where no file is an export."""
    exports, _ = _sort_out(files)
    return _source(exports, _survey(exports).academies) if exports else None


@dataclass(frozen=True, slots=True)
class _Survey:
    academies: frozenset[str]
    structures: Mapping[str, str]


def _sort_out(files: Sequence[NamedStream]) -> tuple[list[ExportFile], list[Read]]:
    exports: dict[str, ExportFile] = {}
    others: list[Read] = []
    for stream in files:
        export, name = parse_name(stream), base_name(stream.name)
        if export is None and name.lower().endswith(".xml"):
            others.append(RefusedFile(stream.name, "name", 0, 0, 0))
        elif export is None:
            others.append(SetAside("file", stream.name, 1))
        elif name in exports:
            others.append(RefusedFile(stream.name, "repeated-name", 0, 0, 0))
        else:
            exports[name] = export
    return in_order(exports.values()), others


def _survey(exports: Sequence[ExportFile]) -> _Survey:
    """What the whole set must know first; a file that breaks is refused when it is read, not here."""
    academies: set[str] = set()
    structures: dict[str, str] = {}
    for export in exports:
        parser = RequestParser()
        with suppress(NotThisFormat):
            for request in _requests(export, parser):
                if export.part != "EtabEducNat":
                    break
                if (explained := explained_structure(request)) is not None:
                    structures[explained[0]] = explained[1]
        academies.update({parser.header.get("codeAcademieExport", "").strip().lower()} - {""})
    return _Survey(frozenset(academies), structures)


def _source(exports: Sequence[ExportFile], academies: frozenset[str]) -> str:
    named = {f"ac-{academy}" for academy in academies} or {export.project.lower() for export in exports}
    if len(named) > 1:
        raise NotThisFormat(
            "the set is of several platforms, whose ids may collide: read each apart, or name the source"
        )
    return named.pop()


def _requests(export: ExportFile, parser: RequestParser) -> Iterator[Request]:
    with closing(export.stream.opener()) as stream:
        while True:
            chunk = stream.read(CHUNK_BYTES)
            broken = parser.feed(chunk)
            finished, parser.finished = parser.finished, []
            yield from finished
            if broken is not None:
                raise broken
            if not chunk:
                return


def _read_file(export: ExportFile, mapper: Mapper, numbers: Counter[str]) -> Iterator[Read]:
    name, head = export.stream.name, export.set_version
    parser = RequestParser()
    read = 0
    try:
        for request in _requests(export, parser):
            read += 1
            numbers[head] += 1
            yield _read_request(request, name, mapper, f"{head}.{numbers[head]:09d}")
            for kind, attribute in mapper.remarks:
                yield Remark(name, request.record, request.line, kind, attribute)
    except BrokenFile as broken:
        yield RefusedFile(name, broken.kind, broken.line, broken.column, read)
    except NotThisFormat:
        yield RefusedFile(name, "unreadable", 0, 0, read)


def _read_request(request: Request, file: str, mapper: Mapper, version: str) -> Read:
    try:
        return mapper.change(request, version)
    except BadRecord as bad:
        mapper.remarks.clear()
        return RefusedRecord(file, request.record, request.line, bad.kind, bad.attribute)
