"""Who answers for a pupil on a day, as the directory says, and whose consent counts (R10, code civil art. 371-1)."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, NamedTuple

from services.contract.policies import day_in_paris
from services.filtering.subject import Image

Consents = tuple[Mapping[str, Any], ...]

FIRST = frozenset({"1"})
HOLDERS = frozenset({"1", "2"})
"""AAF `legal`: 1 holds parental authority, 2 may oppose and counts among "all holders".

First-degree files do not say: whoever is unknown here may oppose as well, and cannot consent.
"""
_PARTY = "guardian:"


class Guardians(NamedTuple):
    """By routing key: AAF `legal`, and the first day of an authority that has one."""

    legal: Mapping[str, str | None]
    since: Mapping[str, str]

    @property
    def holders(self) -> list[str]:
        return [name for name, legal in self.legal.items() if legal is None or legal in HOLDERS]


def guardians_of(source: str, image: Image, day: date) -> Guardians:
    """Whom the image names, but for those whose authority has not begun or has ended: both days count."""
    links = image.attributes.get("guardians") or ()
    legal, since = {}, {}
    for link in links:
        key = f"{source}:{link['id']}"
        if "authority_from" in link or "authority_until" in link:
            first, last = link.get("authority_from"), link.get("authority_until")
            if not (first or "") <= day.isoformat() <= (last or "9999"):
                continue
            if first:
                since[key] = first
        legal[key] = link.get("legal")
    return Guardians(legal, since)


def counted(records: Consents, guardians: Guardians) -> tuple[Consents, Consents]:
    """Leave out what a guardian gave without being such a holder; what she refused or took back stays.

    As they count for a usual act, which the first holders may consent to, and where all holders must agree.
    """
    usual, all_holders = [], []
    for record, legal in _with_authority(records, guardians):
        all_holders.append(record)
        if legal is None or legal in FIRST:
            usual.append(record)
    return tuple(usual), tuple(all_holders)


def _with_authority(records: Consents, guardians: Guardians) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    for record in records:
        legal = None
        if record["status"] == "given" and record["party"].startswith(_PARTY):
            name = record["party"].removeprefix(_PARTY)
            legal = guardians.legal.get(name)
            if legal not in HOLDERS or _came_too_early(record, guardians.since.get(name)):
                continue
        yield record, legal


def _came_too_early(record: Mapping[str, Any], first: str | None) -> bool:
    """Whether she had no authority yet on the day on which she gave."""
    return first is not None and day_in_paris(datetime.fromisoformat(record["at"])).isoformat() < first
