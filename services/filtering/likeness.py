"""What the rules can see of a person on one day, in one spelling for all who look the same to them.

Only who and what is said is respelt here; nothing is decided. Whatever is not plainly of the shape that the filter
itself makes has no likeness, and is decided as it stands.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Final, NamedTuple

from services.contract.policies import day_in_paris
from services.filtering.parsing import CATEGORIES, KINDS, RESTRICTIONS
from services.filtering.policy import ADULT, age_on
from services.filtering.reading import Section
from services.filtering.spoken import Matter, Seen
from services.filtering.unknown import UNKNOWN

_ABSENT: Final = object()
_TEXTS: Final = {str}
_YOUNGEST: Final = -1
"""Who is not born yet: no rule counts further back."""


class Moment(NamedTuple):
    """When it is decided, in every form that is needed; made once a batch."""

    now: datetime
    text: str
    day: date
    microseconds: int


@lru_cache(maxsize=4)
def moment_of(now: datetime) -> Moment:
    """The moment in UTC, for two spellings of one instant are one key of this cache."""
    return Moment(now, now.astimezone(UTC).isoformat(), day_in_paris(now), int(now.timestamp() * 1_000_000))


class Offer:
    """The fields on offer: two persons with the same names and categories share one, so it is equal to itself alone."""

    __slots__ = ("fields",)

    def __init__(self, fields: tuple[tuple[str, str], ...]) -> None:
        self.fields = [{"name": name, "category": category} for name, category in fields]


@lru_cache(maxsize=4096)
def offer_of(fields: tuple[tuple[str, str], ...]) -> Offer:
    return Offer(fields)


class Traits(NamedTuple):
    """All that the rules see of a person, but for who her guardians are and what was consented to."""

    kind: str
    age: int | None
    """In whole years, no higher than where adults begin."""
    emancipated: bool
    restrictions: tuple[str, ...]
    deleted: bool
    offer: Offer


def traits_of(subject: Mapping[str, Any], offer: Offer, day: date) -> Traits | None:
    """The traits of the `subject` of a request, but for `delivered`; null where anything is unusual."""
    get = subject.get
    birth_date, restrictions = get("birth_date", _ABSENT), get("restrictions")
    kind, emancipated, deleted = get("kind"), get("emancipated"), get("deleted")
    if type(kind) is not str or type(emancipated) is not bool or type(deleted) is not bool or kind not in KINDS:
        return None
    if get("gone_since", _ABSENT) is not None or not are_names(get("guardians")) or type(restrictions) is not list:
        return None
    if "opposing" in subject:
        return None
    if restrictions and not (are_names(restrictions) and RESTRICTIONS.issuperset(restrictions)):
        return None
    age = None
    if birth_date is not None and (type(birth_date) is not str or (age := _age(birth_date, day)) is None):
        return None
    return Traits(kind, age, emancipated, tuple(restrictions), deleted, offer)


def are_names(names: object) -> bool:
    """Whether this is a list of texts, none empty, none twice."""
    if type(names) is not list:
        return False
    return not names or (set(map(type, names)) == _TEXTS and "" not in names and len(set(names)) == len(names))


@lru_cache(maxsize=32_768)
def _age(birth_date: str, day: date) -> int | None:
    born = Section({"day": birth_date}, []).day("day")
    return None if born is None or born is UNKNOWN else max(_YOUNGEST, min(age_on(day, born), ADULT))


def offer_in(fields: Sequence[object]) -> Offer | None:
    """The offer in the `fields` of a request; null where one cannot be read."""
    read = []
    for field in fields:
        name, category = (field.get("name"), field.get("category")) if isinstance(field, dict) else (None, None)
        if type(name) is not str or not name or type(category) is not str or category not in CATEGORIES:
            return None
        read.append((name, category))
    return offer_of(tuple(read))


def representative(traits: Traits, guardians: int, seen: Sequence[Seen], matter: Matter, day: date) -> dict[str, Any]:
    """The request that stands for all with these traits; `delivered` is left to be said."""
    noon = datetime.combine(day, time(12), UTC)
    return {
        "now": noon.isoformat(),
        "subject": {
            "kind": traits.kind,
            "birth_date": None if traits.age is None else _born(day, traits.age).isoformat(),
            "emancipated": traits.emancipated,
            "guardians": [str(n) for n in range(guardians)],
            "restrictions": list(traits.restrictions),
            "gone_since": None,
            "deleted": traits.deleted,
        },
        "fields": traits.offer.fields,
        "consents": [
            {
                "party": each.party,
                "status": each.status,
                "at": (noon - timedelta(seconds=len(seen) - each.place)).isoformat(),
                "until": noon.isoformat() if each.expired else None,
                "purpose": matter.purpose,
                "provider": matter.provider,
                "notice": matter.notice if each.notice else None,
                "proof": "shown" if each.proof else None,
            }
            for each in seen
        ],
        "objections": [],
    }


def _born(day: date, age: int) -> date:
    """Who is of this age on this day; who turned so on 29 February stands for her by the day before."""
    try:
        return day.replace(year=day.year - age)
    except ValueError:
        return day.replace(year=day.year - age, day=28)
