"""Who answers for a pupil on a day, as the directory says, and whose consent counts (R10, code civil art. 371-1)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

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
EVER: Final = datetime.min.replace(tzinfo=UTC)


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


def opposing(source: str, images: Mapping[str, Image], consents: Consents, day: date) -> list[str]:
    """Holders whom the image of another source names and who have said no to something.

    Which of two directories is shown may not make a no be forgotten (R10). To what they said it, the rules see; nothing
    else is asked of them, and what they gave counts where they are shown.
    """
    against = {record["party"] for record in consents if record["status"] != "given"}
    return [
        name
        for other, image in sorted(images.items())
        if other != source and image.whole
        for name, legal in guardians_of(other, image, day)[0].items()
        if (legal is None or legal in HOLDERS) and f"guardian:{name}" in against
    ]


def counted(records: Consents, legal: Legal, since: Since, now: datetime) -> tuple[Consents, Consents]:
    """Leave out what a guardian gave without being such a holder; what she refused or took back stays.

    As they count for a usual act, which the first holders may consent to, and where all holders must agree.
    """
    usual: list[Mapping[str, Any]] = []
    all_holders: list[Mapping[str, Any]] = []
    of_second: list[Mapping[str, Any]] = []
    of_nobody: list[Mapping[str, Any]] = []
    for record in records:
        party, held = record["party"], None
        if record["status"] == "given" and party.startswith("guardian:"):
            name = party.removeprefix("guardian:")
            held = legal.get(name)
            if held not in HOLDERS or (name in since and _day_of(record) < since[name]):
                of_nobody.append(record)
                continue
        all_holders.append(record)
        (usual if held is None or held in FIRST else of_second).append(record)
    return _lifted(usual, [*of_second, *of_nobody], now), _lifted(all_holders, of_nobody, now)


def _lifted(words: Sequence[Mapping[str, Any]], left_out: Sequence[Mapping[str, Any]], now: datetime) -> Consents:
    """A yes that does not count is a last word all the same: what its party had against that matter is over."""
    over: dict[tuple[str, ...], datetime] = {}
    for record in left_out:
        if (at := datetime.fromisoformat(record["at"])) <= now:
            over[_matter(record)] = max(at, over.get(_matter(record), at))
    if not over:
        return tuple(words)
    return tuple([each for each in words if datetime.fromisoformat(each["at"]) >= over.get(_matter(each), EVER)])


def _matter(record: Mapping[str, Any]) -> tuple[str, ...]:
    return record["party"], record["purpose"], record["provider"]


def _day_of(record: Mapping[str, Any]) -> str:
    """The day, in Paris, on which somebody gave: a consent counts only if she had authority then."""
    try:
        return day_in_paris(datetime.fromisoformat(record["at"])).isoformat()
    except OverflowError:
        return ""  # hours before the year 1, or after 9999: within nobody's authority
