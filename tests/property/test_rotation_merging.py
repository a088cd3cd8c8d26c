"""Two keys that prove to be one person's while her names change: nobody is lost, nobody is known twice."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from ops.publishing.living import count_living
from services.contract.changes import Change
from services.contract.topology import CHANGES, CONSENTS, POLICIES
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.property.merged_people import POLICIES as IN_FORCE
from tests.property.merged_people import SOURCES, Told, histories, people
from tests.property.rotating import ROTATED, Mortal, Remembered
from tests.property.test_rotation import Asleep, orders, read_in
from tests.replay.invented import INE, bytes_of

FAMILIES = {"gar": "pedagogical-access", "lecture": "reading"}


class Renamed(NamedTuple):
    """Names change; these partitions hear of it later than the others, by their places."""

    deaf: frozenset[int]


class Heard(NamedTuple):
    """All have heard of it."""


Event = Told | Renamed | Heard | Asleep | int
places = st.frozensets(st.integers(0, 7), max_size=3)
meanwhile = st.lists(st.just(0) | places.map(Asleep), max_size=1)


@st.composite
def courses(draw: st.DrawFn) -> list[Event]:
    """What is told, with other names anywhere in it, heard by some of the filter's partitions only later."""
    told: list[Event] = list(draw(histories()))
    first = draw(st.integers(0, len(told)))
    later = draw(st.integers(first, len(told)))
    renamed = Renamed(draw(st.frozensets(st.integers(0, 2), max_size=2)))
    events: list[Event] = [*told[:first], renamed, *told[first:later], Heard(), *told[later:]]
    return [each for event in events for each in (event, *draw(meanwhile))]


async def run(rapid: Mortal, events: Sequence[Event]) -> Mortal:
    for each in IN_FORCE:
        rapid.put(POLICIES, each.provider.encode(), bytes_of(each))
    for event in [*events, Asleep(frozenset()), *[600] * 16]:
        match event:
            case int():
                await rapid.pass_time(event)
            case Asleep(asleep):
                rapid.asleep = asleep
            case Renamed(deaf):
                rapid.announce(ROTATED, 1, deaf)
            case Heard():
                rapid.hear(ROTATED, 1)
            case Told(key, payload):
                rapid.put(CHANGES if isinstance(payload, Change) else CONSENTS, key.encode(), bytes_of(payload))
    return rapid


def names_of(keys: Iterable[str], provider: str) -> set[str]:
    """Under which a person with these keys may be known in the end."""
    names = Pseudonymiser.under(ROTATED.keys_of(provider, FAMILIES[provider]).current)
    return {
        names.pseudonym("person", "FR", "INE", INE)
        if key == INE
        else names.pseudonym("person", SOURCES[key][0], "local", SOURCES[key][1])
        for key in keys
    }


@settings(deadline=None, max_examples=100)
@given(courses(), st.sampled_from((2, 3)), st.lists(st.booleans(), max_size=12), orders)
def test_every_provider_ends_with_each_person_once_under_a_name_of_now(
    events: list[Event], count: int, kills: list[bool], order: list[int]
) -> None:
    rotated = asyncio.run(run(Mortal(ROTATED, iter(kills), count), events))

    told = [event for event in events if isinstance(event, Told)]
    for provider in FAMILIES:
        known = {name: (each.fields or {})["level"] for name, each in read_in(order, rotated, provider).known().items()}
        for keys, person in people(told).items():
            wanted = [person.level] if person.level and (provider == "gar" or person.consents) else []
            assert [known.pop(name) for name in names_of(keys, provider) if name in known] == wanted
        assert known == {}
    assert [living for living in count_living(Remembered(rotated), ROTATED).values() if not living.is_settled] == []
