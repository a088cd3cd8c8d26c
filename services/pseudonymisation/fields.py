"""The released fields under the provider's own names: schools and groups are pairwise, links stay inside.

A closed list: a field that is not here leaves in no form. A group has a label only where the filter gave it one, by a
census (rules.md, Address).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any

from services.contract.naming import GROUP_CODES, NamedBy, name_of_group, name_of_school

PLAIN = frozenset(
    {"family_name", "birth_name", "given_name", "other_given_names", "title", "birth_date", "birth_year",
     "level", "mef", "subjects", "commune", "departement", "region", "age_13", "age_15", "age_16", "age_18"}
)  # fmt: skip
SCHOOL = "school"
RELAY = "email_relay"
LISTED = frozenset({*PLAIN, *GROUP_CODES, SCHOOL, RELAY})

_REMEMBERED = 16_384
"""Schools, and groups, of which the name is kept: of a whole académie most, or those of the hour."""

_BARE = 2
"""Parts of a group of which nothing is said: its school and its code."""
_ID = itemgetter("id")

Naming = Callable[[NamedBy], str]
"""An identifier to its pseudonym at one provider."""


class Renaming:
    """How one provider sees the fields that come from one source; a school and a group are named once for many."""

    def __init__(self, source: str, perimeter: str, name: Naming) -> None:
        self._school = lru_cache(_REMEMBERED)(lambda uai: name(name_of_school(perimeter, uai)))
        # What is remembered is shared by all who are in that group: it is written, never changed.
        self._group = lru_cache(_REMEMBERED)(lambda uai, code: {"id": name(name_of_group(source, uai, code))})

    def renamed(self, fields: Mapping[str, Any], relay: str | None) -> dict[str, Any]:
        """The fields as that provider may see them; a relay alias only where it has a relay domain.

        Raises:
            NotAnIdentifier: for a school without a true UAI: it has no name to give.
        """
        seen: dict[str, Any] = {}
        for field, value in fields.items():
            if field in PLAIN:
                seen[field] = value
            elif field in GROUP_CODES:
                code = GROUP_CODES[field]
                seen[field] = [
                    self._group(entry["school"], entry[code]) if len(entry) == _BARE else self._said(entry, code)
                    for entry in value
                ]
                if len(value) > 1:  # the directory's order may be that of the labels
                    seen[field].sort(key=_ID)
            elif field == SCHOOL:
                seen[field] = self._school(value)
            elif field == RELAY and relay is not None:
                seen[field] = relay
        return seen

    def _said(self, entry: Mapping[str, Any], code: str) -> Mapping[str, Any]:
        """With the subject that is taught there, or with its label."""
        beside = {name: entry[name] for name in ("subject", "label") if name in entry}
        return self._group(entry["school"], entry[code]) | beside
