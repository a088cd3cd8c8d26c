"""Who answers for a pupil on a day, as the directory says, and whose consent counts (R10, code civil art. 371-1)."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.contract.policies import day_in_paris
from services.filtering.subject import Image

Consents = tuple[Mapping[str, Any], ...]

FIRST = frozenset({"1"})
HOLDERS = frozenset({"1", "2"})
"""AAF `legal`: 1 holds parental authority, 2 may oppose and counts among "all holders".

First-degree files do not say: whoever is unknown here may oppose as well, and cannot consent.
"""
Legal = Mapping[str, str | None]
"""AAF `legal` of each guardian, by routing key."""
Since = Mapping[str, str]
"""The first day of an authority that has one."""
NO_DATES: Since = {}


def guardians_of(source: str, image: Image, day: date) -> tuple[Legal, Since]:
    """Whom the image names, but for those whose authority has not begun or has ended: both days count."""
    links = image.attributes.get("guardians")
    if not links:
        return {}, NO_DATES
    for link in links:
        if "authority_from" in link or "authority_until" in link:
            return _dated(source, links, day.isoformat())
    return {f"{source}:{link['id']}": link.get("legal") for link in links}, NO_DATES


def _dated(source: str, links: Sequence[Mapping[str, Any]], today: str) -> tuple[Legal, Since]:
    legal, since = {}, {}
    for link in links:
        first, last = link.get("authority_from"), link.get("authority_until")
        if (first or "") <= today <= (last or "9999"):
            key = f"{source}:{link['id']}"
            legal[key] = link.get("legal")
            if first:
                since[key] = first
    return legal, since


def counted(records: Consents, legal: Legal, since: Since) -> tuple[Consents, Consents]:
    """Leave out what a guardian gave without being such a holder; what she refused or took back stays.

    As they count for a usual act, which the first holders may consent to, and where all holders must agree.
    """
    usual, all_holders = [], []
    for record in records:
        party, held = record["party"], None
        if record["status"] == "given" and party.startswith("guardian:"):
            name = party.removeprefix("guardian:")
            held = legal.get(name)
            if held not in HOLDERS or (name in since and _day_of(record) < since[name]):
                continue
        all_holders.append(record)
        if held is None or held in FIRST:
            usual.append(record)
    return tuple(usual), tuple(all_holders)


def _day_of(record: Mapping[str, Any]) -> str:
    """The day, in Paris, on which somebody gave: a consent counts only if she had authority then."""
    return day_in_paris(datetime.fromisoformat(record["at"])).isoformat()
