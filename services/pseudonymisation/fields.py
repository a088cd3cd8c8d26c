"""The released fields under the provider's own names: schools and groups are pairwise, links and labels stay inside.

A closed list: a field that is not here leaves in no form.
"""

from collections.abc import Callable, Mapping
from typing import Any

from services.contract.naming import NamedBy, name_of_group, name_of_school

PLAIN = frozenset(
    {"family_name", "birth_name", "given_name", "other_given_names", "title", "birth_date", "birth_year",
     "level", "mef", "subjects"}
)  # fmt: skip
GROUPS = {"divisions": "code", "groups": "code", "teaches_divisions": "division", "teaches_groups": "group"}
"""Fields that are lists of a school's divisions or groups, and where each keeps its code."""
SCHOOL = "school"
RELAY = "email_relay"
LISTED = PLAIN | GROUPS.keys() | {SCHOOL, RELAY}

Naming = Callable[[NamedBy], str]
"""An identifier to its pseudonym at one provider."""


def renamed(fields: Mapping[str, Any], source: str, perimeter: str, name: Naming, relay: str | None) -> dict[str, Any]:
    """The fields as one provider may see them; a relay alias only where the provider has a relay domain.

    Raises:
        NotAnIdentifier: for a school without a true UAI: it has no name to give.
    """
    seen: dict[str, Any] = {}
    for field, value in fields.items():
        if field in PLAIN:
            seen[field] = value
        elif field == SCHOOL:
            seen[field] = name(name_of_school(perimeter, value))
        elif field in GROUPS:
            seen[field] = [_group(entry, GROUPS[field], source, name) for entry in value]
        elif field == RELAY and relay is not None:
            seen[field] = relay
    return seen


def _group(entry: Mapping[str, Any], code: str, source: str, name: Naming) -> dict[str, Any]:
    """A group without its label: under five pupils a label names them, and no census has counted them yet."""
    group = {"id": name(name_of_group(source, entry["school"], entry[code]))}
    return group | ({"subject": entry["subject"]} if "subject" in entry else {})
