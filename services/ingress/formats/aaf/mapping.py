"""One request to one change: the id is checked first, then every attribute finds its name."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from services.contract.changes import Change
from services.contract.identifiers import canonical_uai, is_placeholder
from services.ingress.formats.aaf.grammar import Request
from services.ingress.formats.aaf.reads import BadRecord, RemarkKind
from services.ingress.formats.aaf.table import STRUCTURE_UAI, TABLES, Row, Table

_SHOWN_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_LOCAL_ID = re.compile(r"[^\x00-\x1f\x7f-\x9f]{1,128}")
_MANY: Final = 100_000
_MANY_NAMES: Final = 1000


@dataclass(slots=True)
class Mapper:
    """What one set of files knows while it is read: its source, its structures, what was remarked or set aside."""

    source: str
    structures: Mapping[str, str]
    set_aside: Counter[str] = field(default_factory=Counter)
    remarks: list[tuple[RemarkKind, str]] = field(default_factory=list)
    """Of the request last mapped: a kind and a declared attribute."""
    _unexplained: set[str] = field(default_factory=set)
    _attribute: str = ""

    def change(self, request: Request, version: str) -> Change:
        """Raise BadRecord where the request must not be taken."""
        self.remarks.clear()
        if request.fault is not None:
            raise BadRecord(request.fault)
        table = TABLES.get(request.category or ("", ""))
        if table is None:
            raise BadRecord("unknown-category")
        content: dict[str, object] = {
            "kind": request.kind,
            "entity": table.entity,
            "category": table.category,
            "source": self.source,
            "id": _identify(request, table),
            "version": version,
            "attributes": {},
        }
        if request.kind != "delete":
            self._fill(content, request.attributes, table)
        try:
            # Not strict: lists become tuples and mappings become models; every leaf is a text, date or flag already.
            return Change.model_validate(content, strict=False)
        except ValidationError:
            raise BadRecord("invalid") from None

    def _fill(self, content: dict[str, object], found: dict[str, list[str]], table: Table) -> None:
        attributes: dict[str, object] = {}
        others: dict[str, list[str]] = {}
        rows = table.rows
        for name, values in found.items():
            if name == table.jointure:
                continue
            if name not in rows:
                self._put_aside(name)
                continue
            row = rows[name]
            if row is None or row.gives_way_to in found:
                others[name] = values
            else:
                attributes[row.field] = self._shape(name, row, values)
        content["attributes"] = attributes
        if others:
            content["source_attributes"] = others

    def _shape(self, name: str, row: Row, values: list[str]) -> object:
        self._attribute = name
        try:
            shaped = row.shape(values, self._resolve)
        except BadRecord as bad:
            raise BadRecord(bad.kind, name) from None
        if name == STRUCTURE_UAI and shaped is not None and canonical_uai(values[0]) is None:
            self.remarks.append(("uai", name))
        return shaped

    def _resolve(self, structure: str) -> str:
        uai = self.structures.get(structure)
        if uai is not None:
            return uai
        if structure not in self._unexplained and len(self._unexplained) < _MANY:
            self._unexplained.add(structure)
            self.remarks.append(("unexplained-structure", self._attribute))
        return structure

    def _put_aside(self, name: str) -> None:
        shown = name if _SHOWN_NAME.fullmatch(name) else "?"
        self.set_aside[shown if shown in self.set_aside or len(self.set_aside) < _MANY_NAMES else "?"] += 1


def _identify(request: Request, table: Table) -> str:
    identifier = (request.id or "").strip()
    if is_placeholder(identifier):
        raise BadRecord("empty-id")
    if not _LOCAL_ID.fullmatch(identifier):
        raise BadRecord("not-an-id")
    jointure = request.attributes.get(table.jointure)
    if jointure is not None and [value.strip() for value in jointure] != [identifier]:
        raise BadRecord("id-differs", table.jointure)
    return identifier


def explained_structure(request: Request) -> tuple[str, str] | None:
    """The jointure id and the UAI that a request on a school brings together, where both are sound."""
    table = TABLES.get(request.category or ("", ""))
    if request.fault is not None or table is None or table.entity != "school":
        return None
    uais = request.attributes.get(STRUCTURE_UAI, [])
    uai = canonical_uai(uais[0]) if len(uais) == 1 else None
    try:
        return None if uai is None else (_identify(request, table), uai)
    except BadRecord:
        return None
