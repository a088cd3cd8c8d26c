import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from services.contract.changes import Change
from services.contract.topology import CHANGES, CONSENTS
from tests.property.merged_people import KEYS, POLICIES, SOURCES, Told, histories, people
from tests.replay.invented import INE, bytes_of
from tests.unit.partition_runs import Name, Partitions

orders = st.lists(st.integers(0, 5), max_size=70)
PROVIDERS = ("gar", "lecture")


def put(partitions: Partitions, told: Iterable[Told]) -> None:
    for key, payload in told:
        partitions.put(CHANGES if isinstance(payload, Change) else CONSENTS, key, bytes_of(payload))


async def run(partitions: Partitions, order: Sequence[int]) -> Partitions:
    """Let arrive what waits, lane by lane as drawn; what then is left comes by priority."""
    for number in order:
        if places := partitions.open_lanes:
            await partitions.arrive(*places[number % len(places)])
    await partitions.settle()
    return partitions


def ran(told: Sequence[Told], order: Sequence[int]) -> Partitions:
    partitions = Partitions(*POLICIES)
    put(partitions, told)
    return asyncio.run(run(partitions, order))


def names_of(keys: Iterable[str], provider: str) -> set[Name]:
    """Under which a person with these keys may be known."""
    return {Name(provider, "INE", INE) if key == INE else Name(provider, "local", SOURCES[key][1]) for key in keys}


@settings(deadline=None, max_examples=200)
@given(histories(), orders)
def test_every_provider_ends_with_each_person_once_as_the_reference_has_her(told: list[Told], order: list[int]) -> None:
    partitions = ran(told, order)
    for keys, person in people(told).items():
        for provider, wanted in (("gar", True), ("lecture", person.consents)):
            names = names_of(keys, provider)
            known = [fields["level"] for name, fields in partitions.has(provider).items() if name in names]

            assert known == ([person.level] if wanted and person.level else [])


@settings(deadline=None, max_examples=150)
@given(histories(), orders)
def test_each_name_is_told_of_in_one_partition_and_under_growing_numbers(told: list[Told], order: list[int]) -> None:
    """What the later stages know of a name is in that partition, and they refuse what is not newer."""
    partitions = ran(told, order)
    seqs: defaultdict[Name, list[int]] = defaultdict(list)
    where: defaultdict[Name, set[str]] = defaultdict(set)
    for one in partitions.sent:
        seqs[one.name].append(one.seq)
        where[one.name].add(one.partition)

    assert all(numbers == sorted(set(numbers)) for numbers in seqs.values())
    assert all(len(places) == 1 for places in where.values())


@settings(deadline=None, max_examples=100)
@given(histories(), orders, orders)
def test_everything_told_again_in_any_order_sends_nothing_more(
    told: list[Told], order: list[int], again: list[int]
) -> None:
    partitions = ran(told, order)
    sent = len(partitions.sent)
    put(partitions, told)
    for topic, key, value in [*partitions.moved]:
        partitions.put(topic, key, value)
    asyncio.run(run(partitions, again))

    assert len(partitions.sent) == sent


@settings(deadline=None, max_examples=100)
@given(histories(), orders)
def test_nothing_is_put_aside_and_nobody_is_left_between_two_keys(told: list[Told], order: list[int]) -> None:
    partitions = ran(told, order)
    ways = [partitions.subject(key).particulars.identity for key in KEYS]

    assert [topic for topic, _, _ in partitions.told if topic.endswith("quarantine")] == []
    assert not any(way.awaits or way.doubles for way in ways)
    assert all(way.claimed is None for way in ways)
    assert all(bool(way.kept) == (key in ways[KEYS.index(INE)].merged) for key, way in zip(KEYS, ways, strict=True))


@settings(deadline=None, max_examples=100)
@given(histories(), orders)
def test_no_provider_has_a_person_twice_from_the_moment_her_keys_are_one(told: list[Told], order: list[int]) -> None:
    partitions = Partitions(*POLICIES)
    put(partitions, told)
    most: list[int] = []

    async def steps() -> None:
        for number in [*order, *[0] * len(told) * 10]:
            if places := partitions.open_lanes:
                await partitions.arrive(*places[number % len(places)])
                hers = {INE, *partitions.subject(INE).particulars.identity.merged}
                most.extend(len(names_of(hers, each) & partitions.has(each).keys()) for each in PROVIDERS)

    asyncio.run(steps())

    assert partitions.open_lanes == []
    assert max(most) <= 1
