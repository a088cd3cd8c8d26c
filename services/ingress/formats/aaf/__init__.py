"""AAF (Annuaire académique fédérateur, annexe 4bis of the SDET): XML exports to changes, request by request."""

from services.ingress.formats.aaf.reader import read_set, source_of
from services.ingress.formats.aaf.reads import (
    NamedStream,
    Read,
    RefusedFile,
    RefusedRecord,
    Remark,
    SetAside,
)

__all__ = [
    "NamedStream",
    "Read",
    "RefusedFile",
    "RefusedRecord",
    "Remark",
    "SetAside",
    "read_set",
    "source_of",
]
