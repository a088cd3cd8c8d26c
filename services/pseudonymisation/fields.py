"""The released fields under the provider's own names: schools and groups are pairwise, links stay inside.

A closed list: a field that is not here leaves in no form. A group has a label only where the filter gave it one, by a
census (rules.md, Address).
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from services.contract.naming import GROUP_CODES, NamedBy, name_of_group, name_of_school

PLAIN: Final = frozenset(
    {"family_name", "birth_name", "given_name", "other_given_names", "title", "birth_date", "birth_year",
     "level", "mef", "subjects", "commune", "departement", "region", "age_13", "age_15", "age_16", "age_18"}
)  # fmt: skip
SCHOOL: Final = "school"
RELAY: Final = "email_relay"
_CODES: Final = dict(GROUP_CODES)
LISTED: Final = frozenset({*PLAIN, *_CODES, SCHOOL, RELAY})

_REMEMBERED: Final = 16_384
"""Schools, and groups, of which the name is kept: of a whole académie most, or those of the hour."""

_BARE: Final = 2
"""Parts of a group of which nothing is said: its school and its code."""
_ID: Final = itemgetter("id")

Naming = Callable[[NamedBy], str]
"""An identifier to its pseudonym at one provider."""


class Renaming:
    """How one provider sees the fields that come from one source; a school and a group are named once for many."""

    def __init__(self, source: str, perimeter: str, name: Naming) -> None:
        self._school = lru_cache(_REMEMBERED)(lambda uai: name(name_of_school(perimeter, uai)))
        self._source, self._name = source, name
        self._groups: dict[str, dict[str, dict[str, str]]] = {}
        """By school and code. What is remembered is shared by all in that group: it is written, never changed."""
        self._remembered = 0

    def renamed(self, fields: dict[str, Any], relay: str | None) -> dict[str, Any]:
        """The fields as that provider may see them; a relay alias only where it has a relay domain.

        Raises:
            NotAnIdentifier: for a school without a true UAI: it has no name to give.
        """
        seen: dict[str, Any] = {}
        for field, value in fields.items():
            if field in PLAIN:
                seen[field] = value
            elif field in _CODES:
                seen[field] = self._groups_of(value, _CODES[field])
            elif field == SCHOOL:
                seen[field] = self._school(value)
            elif field == RELAY and relay is not None:
                seen[field] = relay
        return seen

    def _groups_of(self, entries: list[dict[str, str]], code: str) -> list[Mapping[str, str]]:
        groups = [
            self._group(entry["school"], entry[code]) if len(entry) == _BARE else self._said(entry, code)
            for entry in entries
        ]
        if len(groups) > 1:  # the directory's order may be that of the labels
            groups.sort(key=_ID)
        return groups

    def _group(self, uai: str, code: str) -> dict[str, str]:
        of_school = self._groups.get(uai)
        group = None if of_school is None else of_school.get(code)
        if group is None:
            group = {"id": self._name(name_of_group(self._source, uai, code))}
            if self._remembered >= _REMEMBERED:
                self._groups, self._remembered = {}, 0
            self._groups.setdefault(uai, {})[code] = group
            self._remembered += 1
        return group

    def _said(self, entry: Mapping[str, str], code: str) -> Mapping[str, str]:
        """With the subject that is taught there, or with its label."""
        beside = {name: entry[name] for name in ("subject", "label") if name in entry}
        return self._group(entry["school"], entry[code]) | beside
