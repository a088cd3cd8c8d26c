"""Requests to numbered slices of XML, each closed before the next is opened."""

from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self
from xml.sax.saxutils import escape, quoteattr

from ops.synthesis.records import EXPORT_DATE, Attributes

Encoding = Literal["UTF-8", "ISO-8859-15"]
Part = Literal["EtabEducNat", "MatiereEducNat", "MefEducNat", "Eleve", "PersRelEleve", "PersEducNat"]

_CATEGORY: dict[Part, tuple[str, str]] = {
    "EtabEducNat": ("categorieStructure", "EtabEducNat"),
    "MatiereEducNat": ("categorieMatiere", "MatEducNat"),
    "MefEducNat": ("categorieMef", "MefEducNat"),
    "Eleve": ("categoriePersonne", "Eleve"),
    "PersRelEleve": ("categoriePersonne", "PersRelEleve"),
    "PersEducNat": ("categoriePersonne", "PersEducNat"),
}


class SetWriter:
    """One set (a complete, or a delta) in a folder, in slices of at most `slice_records` requests."""

    def __init__(self, out: Path, prefix: str, encoding: Encoding, slice_records: int) -> None:
        self.files: list[Path] = []
        self.counts: Counter[tuple[str, str]] = Counter()
        """Requests written, by request (`addRequest`…) and part."""
        self._out = out
        self._prefix = prefix
        self._encoding = encoding
        self._slice_records = slice_records
        self._open: dict[Part, BinaryIO] = {}
        self._written: Counter[Part] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for part in tuple(self._open):
            self._close(part)

    def add(self, part: Part, identifier: str, attributes: Attributes) -> None:
        content = "".join(
            f"<attr name={quoteattr(name)}>{_values(value)}</attr>\n" for name, value in attributes.items()
        )
        self._write(part, "addRequest", identifier, f"<attributes>\n{content}</attributes>\n")

    def modify(self, part: Part, identifier: str, attributes: Attributes) -> None:
        content = "".join(
            f'<modification name={quoteattr(name)} operation="replace">{_values(value)}</modification>\n'
            for name, value in attributes.items()
        )
        self._write(part, "modifyRequest", identifier, f"<modifications>\n{content}</modifications>\n")

    def delete(self, part: Part, identifier: str) -> None:
        self._write(part, "deleteRequest", identifier, "")

    def _write(self, part: Part, request: str, identifier: str, content: str) -> None:
        name, category = _CATEGORY[part]
        self._slice(part).write(
            (
                f'<{request}>\n<operationalAttributes><attr name="{name}"><value>{category}</value></attr>'
                f"</operationalAttributes>\n<identifier><id>{escape(identifier)}</id></identifier>\n"
                f"{content}</{request}>\n"
            ).encode(self._encoding)
        )
        self._written[part] += 1
        self.counts[request, part] += 1

    def _slice(self, part: Part) -> BinaryIO:
        if self._written[part] % self._slice_records == 0:
            self._close(part)
            path = self._out / f"{self._prefix}_{part}_{self._written[part] // self._slice_records:04d}.xml"
            self.files.append(path)
            self._open[part] = path.open("wb")
            self._open[part].write(_header().replace("UTF-8", self._encoding, 1).encode("ascii"))
        return self._open[part]

    def _close(self, part: Part) -> None:
        if (stream := self._open.pop(part, None)) is not None:
            with stream:
                stream.write(b"</ficAlimMENESR>\n")


def _header() -> str:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE ficAlimMENESR SYSTEM "ficAlimMENESR.dtd">\n<ficAlimMENESR>\n'
        '<!-- versionAF="AAF-VE2407" -->\n<!-- codeAcademieExport="99" -->\n<!-- degre="2D" -->\n'
        f'<!-- dateGenerationExport="{EXPORT_DATE}" -->\n'
    )


def _values(value: str | list[str] | None) -> str:
    values = [value] if isinstance(value, str) else value
    return "".join(f"<value>{escape(one)}</value>" for one in values) if values else "<value/>"
