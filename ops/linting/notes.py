"""Every kind of note once: how much it matters, what it means, what to do. A rule's own codes are in the contract."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

Level = Literal["blocks", "misses", "soon", "needless", "know"]
"""Nobody or a whole kind gets nothing; a field never comes; it will be so soon; asked without need; good to know."""

NoteCode = Literal[
    "notice-missing", "no-kind", "no-school", "kind-lacks-required-field",
    "field-unknown", "field-nobody-has", "field-never-leaves", "field-not-allowed", "field-too-fine",
    "field-without-relay", "field-without-census", "no-storage-place",
    "field-without-need", "purpose-without-needs", "live-without-need", "field-twice",
    "joint-consent", "unanimous-consent", "no-register-entry", "groups-at-two-providers",
]  # fmt: skip


class NoteMeaning(NamedTuple):
    level: Level
    sentence: str
    action: str


@dataclass(frozen=True, slots=True)
class Note:
    """One finding: `code` is of this module, or `<rule>/<code>` where a rule said so."""

    code: str
    level: Level
    provider: str
    contract: str
    where: str
    """Which part of the contract or policy, as one would name it in its file; whom it concerns, where not all."""
    sentence: str
    action: str

    def to_json(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in self.__slots__}


_TAKE_OUT = "Take it out of the contract"

NOTES: Mapping[NoteCode, NoteMeaning] = MappingProxyType(
    {
        "notice-missing": NoteMeaning(
            "blocks", "No notice is named, so that no consent can have been informed (R13).", "Publish one and name it."
        ),
        "no-kind": NoteMeaning("blocks", "It covers no kind of person.", "Name the kinds, or take the contract out."),
        "no-school": NoteMeaning("blocks", "It covers no school.", "List the schools, or write `all`."),
        "kind-lacks-required-field": NoteMeaning(
            "blocks", "A required field is one that no export gives of this kind: all of it is held.",
            "Require it no longer, or leave the kind out.",
        ),
        "field-unknown": NoteMeaning(
            "misses", "No person has such a field.", "Correct its name, or take it out of the contract."
        ),
        "field-nobody-has": NoteMeaning(
            "misses", "No export gives it of any kind that the contract covers.", f"{_TAKE_OUT}, or cover another kind."
        ),
        "field-never-leaves": NoteMeaning("misses", "It may never leave (R16): it is dropped.", f"{_TAKE_OUT}."),
        "field-not-allowed": NoteMeaning(
            "misses", "The perimeter does not allow it (R17): it is dropped.",
            f"{_TAKE_OUT}, or have the authority allow it in perimeter.allowed_fields.",
        ),
        "field-too-fine": NoteMeaning(
            "misses", "An address leaves generalised or not at all (R23): it is dropped.",
            "Ask for commune, departement or region."
        ),
        "field-without-relay": NoteMeaning(
            "misses", "There is no domain for e-mail aliases: none is made.", "Name the provider's relay_domain."
        ),
        "field-without-census": NoteMeaning(
            "misses", "It leaves only where a census has counted enough pupils and inhabitants in a place.",
            "Run `sanctuaire census` once the roster is there; list coarser levels too, or do without."
        ),
        "no-storage-place": NoteMeaning(
            "know", "No place of kind storage is declared.", "Ask the provider where it keeps the data."
        ),
        "field-without-need": NoteMeaning(
            "needless", "The purpose does not typically need it (art. 5(1)(c)).",
            f"{_TAKE_OUT}; or justify it, and list it under the purpose in the table of needs.",
        ),
        "purpose-without-needs": NoteMeaning(
            "know", "The table of needs says nothing of this purpose today: no field is compared.",
            "Add the purpose to the table, with its source."
        ),
        "live-without-need": NoteMeaning(
            "needless", "It asks for changes live, by whose instant two providers can be linked.",
            "Leave release_window_seconds out, or show the need in the table of needs.",
        ),
        "field-twice": NoteMeaning("know", "It is listed twice.", "Take one of the two out."),
        "joint-consent": NoteMeaning(
            "know", "Under the age of consent, nobody is released before the child and a holder have both agreed.",
            "Collect both; few will come in the first days.",
        ),
        "unanimous-consent": NoteMeaning(
            "know", "The act is not a usual one: under the age of consent, all holders must agree.",
            "Collect from each; where one does not answer, the child is left out.",
        ),
        "groups-at-two-providers": NoteMeaning(
            "know", "Another provider is told it too: by the sizes of groups, the two can join some pupils.",
            "Have only those told who need it (SECURITY.md, residue 4).",
        ),
        "no-register-entry": NoteMeaning(
            "know", "No entry in the register of processing is named (art. 30).",
            "Enter the processing, and name the entry."
        ),
    }
)  # fmt: skip
