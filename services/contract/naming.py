"""Under which identifier a person, a school or a group is named, in its one spelling (pseudonyms.md).

Imports nothing but the contract; an error says which identifier is wrong, never what it was.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from services.contract.errors import NotAnIdentifier, Payload
from services.contract.identifiers import IdType, canonical_ine, canonical_value, is_placeholder

EntityClass = Literal["person", "school", "group"]

GROUP_CODES: Final[Mapping[str, str]] = {
    "divisions": "code", "groups": "code", "teaches_divisions": "division", "teaches_groups": "group",
}  # fmt: skip
"""Fields that are lists of a school's divisions or groups, and where each entry keeps its code."""


class NamedBy(Payload):
    """What a pseudonym is made from; kept with the pair from its first emission (pseudonyms.md)."""

    entity_class: EntityClass
    namespace: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    type: IdType
    value: Annotated[str, StringConstraints(min_length=1, max_length=160)] = Field(repr=False)
    """Canonical."""


NameParts = tuple[EntityClass, str, IdType, str]
"""The values of a `NamedBy`, in its order."""


def name_of_person(perimeter: str, source: str, local_id: str, ine: str | None) -> NamedBy:
    """Name a pupil by her INE, anyone else (or a pupil whose INE is not one) by the source's own identifier."""
    return _named_by(*parts_of_person(perimeter, source, local_id, ine))


def parts_of_person(perimeter: str, source: str, local_id: str, ine: str | None) -> NameParts:
    """The same in parts, where a policy and a change have said already that none is too long."""
    national = None if ine is None else canonical_ine(ine)
    if national is not None:
        return "person", register_namespace(perimeter), "INE", national
    return "person", _named("source", source), "local", canonical_value("local", local_id)


def name_of_school(perimeter: str, uai: str) -> NamedBy:
    return _named_by("school", register_namespace(perimeter), "UAI", canonical_value("UAI", uai))


def name_of_group(source: str, uai: str, code: str) -> NamedBy:
    """Name a group `<UAI>$<code>`; the code belongs to the source, so the source is its namespace."""
    value = f"{canonical_value('UAI', uai)}${canonical_value('local', code)}"
    return _named_by("group", _named("source", source), "local", value)


def register_namespace(perimeter: str) -> str:
    """The one namespace of every INE and UAI in a perimeter: its own id.

    A source's name here would change a pupil's pseudonym when she moves to another académie.
    """
    return _named("perimeter", perimeter)


def _named(what: str, namespace: str) -> str:
    """Without a namespace, the identifiers of two sources would meet."""
    if is_placeholder(namespace):
        raise NotAnIdentifier(f"{what}: has no name")
    return namespace


def _named_by(entity_class: EntityClass, namespace: str, id_type: IdType, value: str) -> NamedBy:
    return NamedBy(entity_class=entity_class, namespace=namespace, type=id_type, value=value)
