"""What a directory may say of a person, a school or a nomenclature entry, and what the rules call each of it.

The names and shapes are those of design/formats.md, one for one with the platforms' attributes.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AfterValidator, StringConstraints

from services.contract.errors import Payload
from services.contract.identifiers import in_one_spelling

AttributeCategory = Literal["identity", "schooling", "contact", "address", "special", "national-id", "free-text"]

WrittenId = Annotated[
    str, StringConstraints(pattern=r"^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$", min_length=1, max_length=128)
]
LocalId = Annotated[WrittenId, AfterValidator(in_one_spelling)]
"""What a platform calls somebody or something, in NFC."""


class ClassCode(Payload):
    """A division or a group, by the code it has in its school."""

    school: str
    code: str


class GuardianLink(Payload):
    """Who answers for a pupil; `legal` is "1" for a holder of parental authority, null where not said."""

    id: LocalId
    """As in her own changes, and in what she decides: else nobody would hear her no."""
    relation: str | None = None
    financial: str | None = None
    legal: str | None = None
    contact: str | None = None
    payment: str | None = None
    authority_from: date | None = None
    """First day, in Paris, on which she answers for the pupil; null where not said, or always."""
    authority_until: date | None = None
    """Last day, in Paris, on which she does."""


class Function(Payload):
    """A post held in a school."""

    school: str
    code: str
    label: str | None = None
    post: str | None = None
    post_label: str | None = None


class TaughtDivision(Payload):
    school: str
    division: str
    subject: str


class TaughtGroup(Payload):
    school: str
    group: str
    subject: str


class Attributes(Payload):
    """What one change says, and only that: a name absent from `model_fields_set` was not said at all.

    Null (or an empty list) means "known to be none"; in a patch it clears.
    """

    ine: str | None = None
    family_name: str | None = None
    birth_name: str | None = None
    given_name: str | None = None
    other_given_names: tuple[str, ...] = ()
    title: str | None = None
    birth_date: date | None = None
    email: str | None = None
    home_phone: str | None = None
    work_phone: str | None = None
    mobile_phones: tuple[str, ...] = ()
    address_lines: tuple[str, ...] = ()
    postcode: str | None = None
    town: str | None = None
    country: str | None = None
    diffusion: bool | None = None
    school: str | None = None
    mef: str | None = None
    level: str | None = None
    divisions: tuple[ClassCode, ...] = ()
    groups: tuple[ClassCode, ...] = ()
    subjects: tuple[str, ...] = ()
    emancipated: bool | None = None
    gone_since: date | None = None
    guardians: tuple[GuardianLink, ...] = ()
    pupils: tuple[str, ...] = ()
    functions: tuple[Function, ...] = ()
    teaches_divisions: tuple[TaughtDivision, ...] = ()
    teaches_groups: tuple[TaughtGroup, ...] = ()
    scholarship: str | None = None
    regime: str | None = None
    transport: str | None = None
    uai: str | None = None
    name: str | None = None
    kind: str | None = None
    contract: str | None = None
    academy: str | None = None
    label: str | None = None
    parent: str | None = None
    stat11: str | None = None
    track: str | None = None


def _by_name(
    table: Mapping[AttributeCategory | None, tuple[str, ...]],
) -> Mapping[str, AttributeCategory | None]:
    return MappingProxyType({name: category for category, names in table.items() for name in names})


ATTRIBUTE_CATEGORY: Mapping[str, AttributeCategory | None] = _by_name(
    {
        "national-id": ("ine",),
        "identity": (*("family_name", "birth_name", "given_name", "other_given_names", "title", "birth_date"),),
        "contact": ("email", "home_phone", "work_phone", "mobile_phones"),
        "address": ("address_lines", "postcode", "town", "country"),
        "schooling": (
            *("school", "mef", "level", "divisions", "groups", "subjects"),
            *("functions", "teaches_divisions", "teaches_groups"),
        ),
        "special": ("scholarship", "regime", "transport"),
        # What the rules ask, links, and what is said of a school or a nomenclature entry: no field of a contract.
        None: (
            *("diffusion", "emancipated", "gone_since", "guardians", "pupils"),
            *("uai", "name", "kind", "contract", "academy", "label", "parent", "stat11", "track"),
        ),
    }
)
"""The rules' category of each attribute of a person (design/formats.md); None where no rule may release it."""
