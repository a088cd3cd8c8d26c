"""Twins share all but their identifiers, and those follow one another: neither may ever be taken for the other.

Each is told of by three sources under three keys, two of which learn her INE late or never (merged_people.py); both
have the same names, birth date, school, class and guardian.
"""

import asyncio
from collections.abc import Sequence

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from services.contract.changes import Change, parse_change
from services.contract.naming import NamedBy
from services.contract.topology import CHANGES, CONSENTS
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.property.merged_people import KEYS, POLICIES, SOURCES, Person, Told, histories, people
from tests.replay.invented import INE, bytes_of
from tests.replay.rapid import KEYRING
from tests.unit.partition_runs import Name, Partitions

TWIN = {INE: "999000002AB", "999-1001": "999-1002", "e-1": "e-2", "998-7": "998-8"}
"""Every identifier of the one → the next, which is the other's."""
TWIN_KEYS = {
    "aaf-d99:999-1001": "aaf-d99:999-1002", "ent-d99:e-1": "ent-d99:e-2", INE: TWIN[INE],
}  # fmt: skip
FAMILY = {"guardians": [{"id": "999-2001", "legal": "1"}], "given_name": "Camille", "family_name": "MARTINEZ"}

orders = st.lists(st.integers(0, 7), max_size=90)
turns = st.lists(st.booleans(), max_size=30)


def of_the_family(one: Told) -> Told:
    payload = one.payload
    if not isinstance(payload, Change) or payload.kind != "upsert":
        return one
    said = orjson.loads(bytes_of(payload))
    said["attributes"] |= FAMILY
    return one._replace(payload=parse_change(orjson.dumps(said)))


def of_the_other(one: Told) -> Told:
    """The same of her twin."""
    raw = bytes_of(one.payload)
    for hers, others in {**TWIN, **TWIN_KEYS}.items():
        raw = raw.replace(b'"%b"' % hers.encode(), b'"%b"' % others.encode())
    return Told(TWIN_KEYS[one.key], type(one.payload).model_validate_json(raw))


def told_in_turns(one: Sequence[Told], other: Sequence[Told], turns: Sequence[bool]) -> list[Told]:
    """Each one's in her own order, side by side as drawn."""
    first, second = list(one), list(other)
    mixed = [(first if turn else second).pop(0) for turn in turns if (first if turn else second)]
    return [*mixed, *first, *second]


async def go(partitions: Partitions, told: Sequence[Told], order: Sequence[int]) -> None:
    """Let arrive what waits as drawn, and look after each step whether one has anything of the other."""
    for key, payload in told:
        partitions.put(CHANGES if isinstance(payload, Change) else CONSENTS, key, bytes_of(payload))
    for number in [*order, *[0] * len(told) * 12]:
        if places := partitions.open_lanes:
            await partitions.arrive(*places[number % len(places)])
            assert_apart(partitions)


def assert_apart(partitions: Partitions) -> None:
    for keys, ids in ((KEYS, set(TWIN)), (tuple(TWIN_KEYS.values()), set(TWIN.values()))):
        for key in keys:
            subject = partitions.subject(key)
            identity = subject.particulars.identity
            known = {*identity.claims, *identity.settled, *identity.homes.values()}
            known |= {identity.kept or key, identity.claimed[0] if identity.claimed else key}

            assert known <= set(keys)
            assert {image.id for image in subject.images.values()} <= ids


def names_of(keys: Sequence[str] | frozenset[str], provider: str) -> set[Name]:
    return {Name(provider, "INE", INE) if key == INE else Name(provider, "local", SOURCES[key][1]) for key in keys}


def twin_of(name: Name) -> Name:
    return name._replace(value=TWIN[name.value])


def told_of_both(hers: list[Told], others: list[Told], turns: list[bool], order: list[int]) -> Partitions:
    """All that is told of either has arrived; after every step they were apart."""
    one = [of_the_family(each) for each in hers]
    other = [of_the_other(of_the_family(each)) for each in others]
    partitions = Partitions(*POLICIES)
    asyncio.run(go(partitions, told_in_turns(one, other, turns), order))
    return partitions


def levels_at(provider: str, person: Person) -> list[str]:
    """What the provider must know in the end: nothing, or her level once."""
    return [person.level] if person.level and (provider == "gar" or person.consents) else []


@settings(deadline=None, max_examples=120)
@given(histories(), histories(), turns, orders)
def test_twins_never_merge_and_each_ends_as_if_she_were_alone(
    hers: list[Told], others: list[Told], turns: list[bool], order: list[int]
) -> None:
    partitions = told_of_both(hers, others, turns, order)

    assert partitions.open_lanes == []
    for provider in ("gar", "lecture"):
        has = partitions.has(provider)
        for keys, person in people(hers).items():
            assert [seen["level"] for name, seen in has.items() if name in names_of(keys, provider)] == levels_at(
                provider, person
            )
        for keys, person in people(others).items():
            names = {twin_of(name) for name in names_of(keys, provider)}
            assert [seen["level"] for name, seen in has.items() if name in names] == levels_at(provider, person)


@settings(deadline=None, max_examples=60)
@given(histories(), histories(), turns, orders)
def test_twins_never_share_a_pseudonym(
    hers: list[Told], others: list[Told], turns: list[bool], order: list[int]
) -> None:
    partitions = told_of_both(hers, others, turns, order)
    first = {pseudonym(each.name) for each in partitions.sent if each.name.value in TWIN}
    second = {pseudonym(each.name) for each in partitions.sent if each.name.value in TWIN.values()}

    assert not first & second
    assert len(first | second) == len({each.name for each in partitions.sent})


def pseudonym(name: Name) -> str:
    """At its provider, as the stage would write it."""
    family = {"gar": "pedagogical-access", "lecture": "reading-practice"}[name.provider]
    source = "FR" if name.type == "INE" else next(source for source, local in SOURCES.values() if local in alike(name))
    named_by = NamedBy.model_validate(
        {"entity_class": "person", "namespace": source, "type": name.type, "value": name.value}
    )
    return Pseudonymiser.under(KEYRING.keys_of(name.provider, family).current).name(named_by)


def alike(name: Name) -> set[str]:
    """Hers and her twin's."""
    return {name.value, *(hers for hers, other in TWIN.items() if other == name.value)}
