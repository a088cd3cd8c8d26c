"""Under which identifier a person, a school or a group is named, in its one spelling (pseudonyms.md).

Imports nothing but the contract; an error says which identifier is wrong, never what it was.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal, assert_never
from unicodedata import normalize

from pydantic import Field, StringConstraints

from services.contract.errors import NotAnIdentifier, Payload
from services.contract.identifiers import canonical_ine, canonical_uai, is_placeholder

EntityClass = Literal["person", "school", "group"]
IdType = Literal["INE", "UAI", "local"]

WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The Unicode property White_Space (PropList.txt); `str.strip()` alone would also eat U+001C to U+001F."""

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


def canonical_value(id_type: IdType, text: str) -> str:
    """The one spelling that is pseudonymised; NotAnIdentifier for a placeholder or what is not of this type."""
    if id_type == "INE" and canonical_ine(text) == text:
        return text  # as nearly every one is: it comes from here
    trimmed = (text if text.isascii() else normalize("NFC", text)).strip(WHITE_SPACE)
    if is_placeholder(trimmed):
        raise NotAnIdentifier(f"{id_type}: a placeholder")
    match id_type:
        case "local":
            return _unicode(trimmed)
        case "INE":
            return _registered("INE", canonical_ine(trimmed))
        case "UAI":
            return _registered("UAI", canonical_uai(trimmed))
        case _:
            assert_never(id_type)


def _registered(id_type: IdType, canonical: str | None) -> str:
    if canonical is None:
        raise NotAnIdentifier(f"{id_type}: malformed")
    return canonical


def _unicode(value: str) -> str:
    """Refuse a lone surrogate here, where no exception quotes the value (UnicodeEncodeError does)."""
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise NotAnIdentifier("local: not Unicode text")
    return value


def name_of_person(perimeter: str, source: str, local_id: str, ine: str | None) -> NamedBy:
    """Name a pupil by her INE, anyone else (or a pupil whose INE is not one) by the source's own identifier."""
    national = None if ine is None else canonical_ine(ine)
    if national is not None:
        return _named_by("person", register_namespace(perimeter), "INE", national)
    return _named_by("person", _named("source", source), "local", canonical_value("local", local_id))


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
