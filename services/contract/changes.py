"""What a platform publishes: one change to one person, school, group or nomenclature entry.

A change is built once and never amended; it says what changed, never who may know it.
"""

from types import MappingProxyType
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from services.contract.attributes import (
    ATTRIBUTE_CATEGORY,
    AttributeCategory,
    Attributes,
)
from services.contract.errors import Payload
from services.contract.identifiers import routing_key
from services.contract.parsing import parse_payload

__all__ = [
    "ATTRIBUTE_CATEGORY",
    "ENTITY_OF",
    "MAX_CHANGE_BYTES",
    "NAMES_OF",
    "AttributeCategory",
    "Attributes",
    "Category",
    "Change",
    "Entity",
    "Identifier",
    "Kind",
    "parse_change",
    "routing_key",
]

MAX_CHANGE_BYTES = 256 * 1024

Kind = Literal["upsert", "patch", "delete"]
Entity = Literal["person", "school", "group", "nomenclature"]
Category = Literal["pupil", "guardian", "teacher", "staff", "school", "group", "subject", "mef"]

# No colon, so that a routing key `<source>:<id>` can be read in one way only.
Source = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
LocalId = Annotated[
    str, StringConstraints(pattern=r"^[^\s\p{Cc}]([^\p{Cc}]*[^\s\p{Cc}])?$", min_length=1, max_length=128)
]
Version = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}\.[01]\.[0-9]{9}$")]
SourceName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")]

ENTITY_OF: dict[Category, Entity] = {
    "pupil": "person",
    "guardian": "person",
    "teacher": "person",
    "staff": "person",
    "school": "school",
    "group": "group",
    "subject": "nomenclature",
    "mef": "nomenclature",
}

NAMES_OF = MappingProxyType(
    {
        "person": frozenset(ATTRIBUTE_CATEGORY)
        - {"uai", "name", "kind", "contract", "academy", "label", "parent", "stat11", "track"},
        "school": frozenset({"uai", "name", "kind", "contract", "town", "postcode", "academy"}),
        "group": frozenset({"school", "label", "kind", "level", "subjects"}),
        "nomenclature": frozenset({"label", "parent", "stat11", "level", "track"}),
    }
)


class Change(Payload):
    """One fact from one platform, on `directory.changes.v1`; write it with `exclude_unset=True`.

    `upsert` is a full image, `patch` replaces exactly the attributes it names, `delete` carries none.
    """

    kind: Kind
    entity: Entity
    category: Category
    source: Source = Field(description="The platform whose ids these are: ids are unique only inside it.")
    id: LocalId = Field(description="The platform's own identifier (AAF: the jointure id).")
    version: Version = Field(
        description="Export date, 0 for a complete or 1 for a delta, running number in the set: text order is "
        "time order."
    )
    attributes: Attributes
    source_attributes: dict[SourceName, tuple[str, ...]] = Field(
        default_factory=dict,
        exclude_if=lambda named: not named,
        description="Declared attributes of the platform without a name of ours; no contract can name one.",
    )

    @model_validator(mode="after")
    def _is_coherent(self) -> Self:
        if ENTITY_OF[self.category] != self.entity:
            raise ValueError("this category is of another entity")
        if not self.attributes.model_fields_set <= NAMES_OF[self.entity]:
            raise ValueError("an attribute is of another entity")
        if self.kind == "delete" and (self.attributes.model_fields_set or self.source_attributes):
            raise ValueError("a delete carries no attribute")
        return self


class Identifier(Payload):
    """What `publish` remembers on `directory.identifiers.v1` of an id it has published.

    `value` is a school's UAI, or the routing key a person was first published under: a delta carries no INE and
    must still reach the partition that holds the image.
    """

    source: Source
    entity: Literal["person", "school"]
    id: LocalId
    value: Annotated[str, StringConstraints(min_length=1, max_length=256)]


def parse_change(raw: bytes) -> Change:
    """Parse one change, or raise TooLarge, NotJson or NotThisSchema, none of which quotes a value."""
    return parse_payload(Change, raw, MAX_CHANGE_BYTES)
