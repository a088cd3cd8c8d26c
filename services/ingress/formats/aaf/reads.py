"""What reading an export gives besides changes: every refusal and every omission is said, none by its value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, Literal

from services.contract.changes import Change
from services.contract.errors import NotThisFormat

RecordFault = Literal[
    "structure",  # elements that the DTD does not allow there, or that are missing
    "unknown-request",  # neither addRequest, modifyRequest nor deleteRequest
    "unknown-category",
    "unknown-operation",  # a modification that is not "replace"
    "repeated-attribute",
    "several-values",  # of an attribute that has one
    "empty-id",  # or a placeholder such as NULL
    "not-an-id",  # control characters, or over 128 characters
    "id-differs",  # from ENT*Jointure
    "date",
    "flag",  # neither O nor N
    "fields",  # a value whose parts between `$` are not those of this attribute
    "too-large",
    "invalid",  # refused by the schema of a change
]

FileFault = Literal[
    "name",
    "repeated-name",
    "unreadable",  # the stream broke: a damaged archive, a disk error
    "encoding",
    "root",
    "entity",
    "not-xml",
    "truncated",
    "too-deep",
    "too-large",
]

RemarkKind = Literal["unexplained-structure", "uai"]


@dataclass(frozen=True, slots=True)
class NamedStream:
    """A file of a set, not opened yet: it is opened twice, once for what the whole set needs to know."""

    name: str
    opener: Callable[[], BinaryIO]


@dataclass(frozen=True, slots=True)
class RefusedRecord:
    """A request that was not taken; the rest of its file was. Records are counted from 1 in each file."""

    file: str
    record: int
    line: int
    kind: RecordFault
    attribute: str | None = None
    """A declared AAF attribute, or nothing."""


@dataclass(frozen=True, slots=True)
class RefusedFile:
    """A file that broke off at this place: `records` requests before it were read, whatever follows was not."""

    file: str
    kind: FileFault
    line: int
    column: int
    records: int


@dataclass(frozen=True, slots=True)
class Remark:
    """Something kept as it is that an operator must look at: a structure that nothing explains, a wrong UAI.

    An unexplained structure is remarked where it is first named.
    """

    file: str
    record: int
    line: int
    kind: RemarkKind
    attribute: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """A name that AAF does not declare, and how often it was met in the set; its values were not kept."""

    what: Literal["attribute", "file"]
    name: str
    count: int


Read = Change | RefusedRecord | RefusedFile | Remark | SetAside


class BrokenFile(NotThisFormat):
    """The file ends here: a place and a kind."""

    def __init__(self, kind: FileFault, line: int = 0, column: int = 0) -> None:
        super().__init__(f"line {line}, column {column}: {kind}")
        self.kind = kind
        self.line = line
        self.column = column


class BadRecord(NotThisFormat):
    """This request cannot be taken; `attribute` is a declared name."""

    def __init__(self, kind: RecordFault, attribute: str | None = None) -> None:
        super().__init__(kind if attribute is None else f"{attribute}: {kind}")
        self.kind = kind
        self.attribute = attribute
