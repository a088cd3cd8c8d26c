"""The elements of `ficAlimMENESR.dtd`, what each may hold, and a request as it is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal

from services.contract.changes import Kind
from services.ingress.formats.aaf.reads import RecordFault

ROOT = "ficAlimMENESR"


class Role(Enum):
    """What the reader does at the end of an element."""

    HOLDER = auto()
    REQUEST = auto()
    CATEGORY = auto()
    NAMED = auto()
    TEXT = auto()
    WRONG = auto()


@dataclass(frozen=True, slots=True)
class Element:
    """One place in the grammar; `once` names what a request holds exactly once."""

    role: Role
    children: Mapping[str, "Element"] = field(default_factory=dict)
    kind: Kind | None = None
    xml_attributes: int = 0
    once: Literal["category", "id", "attributes"] | None = None


_TEXT = Element(Role.TEXT)
_CATEGORY = Element(Role.CATEGORY, {"value": _TEXT}, xml_attributes=1)
_HEAD = {
    "operationalAttributes": Element(Role.HOLDER, {"attr": _CATEGORY}, once="category"),
    "identifier": Element(Role.HOLDER, {"id": Element(Role.TEXT)}, once="id"),
}
_ATTRIBUTES = Element(Role.HOLDER, {"attr": Element(Role.NAMED, {"value": _TEXT}, xml_attributes=1)}, once="attributes")
_MODIFICATIONS = Element(
    Role.HOLDER,
    {"modification": Element(Role.NAMED, {"value": _TEXT}, kind="patch", xml_attributes=2)},
    once="attributes",
)

WRONG = Element(Role.WRONG)
UNKNOWN_REQUEST = Element(Role.REQUEST)
DOCUMENT = Element(
    Role.HOLDER,
    {
        ROOT: Element(
            Role.HOLDER,
            {
                "addRequest": Element(Role.REQUEST, {**_HEAD, "attributes": _ATTRIBUTES}, "upsert"),
                "modifyRequest": Element(Role.REQUEST, {**_HEAD, "modifications": _MODIFICATIONS}, "patch"),
                "deleteRequest": Element(Role.REQUEST, _HEAD, "delete"),
            },
        )
    },
)


@dataclass(slots=True)
class Request:
    """One request as it is written; `fault` is why it must not be taken."""

    kind: Kind | None
    record: int
    line: int
    category: tuple[str, str] | None = None
    id: str | None = None
    attributes: dict[str, list[str]] = field(default_factory=dict)
    """By name, without the empty values: none left means that the attribute is known to be empty."""
    fault: RecordFault | None = None
