"""Two providers lay their topics side by side: what joins a pupil in the one to the same pupil in the other?"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from random import Random

import pytest

from services.contract.naming import name_of_person
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.property.linking import ATTACKS, better_than, expected_joins, joins
from tests.property.two_providers import (
    PROVIDERS,
    WINDOW_SECONDS,
    Cluster,
    Pupil,
    Read,
    name,
    pupils,
    uai,
)
from tests.replay.rapid import KEYRING

EVEN = [(uai(school), f"{number:02}", 25) for school in range(20) for number in range(20)]
"""Twenty schools of twenty classes of 25: a structure that tells nothing, as would one that only one provider sees."""

CHANCE = 6.0
"""Of 10,000 pupils a guess meets one; six and more once in ten thousand draws (Poisson)."""


def truth_of(people: Sequence[Pupil]) -> dict[bytes, bytes]:
    """What nobody but the pseudonymiser can compute: pseudonym at the one → pseudonym at the other."""
    keys = [Pseudonymiser.under(KEYRING.keys_of(provider, "pedagogical-access").current) for provider in PROVIDERS]
    names = [name_of_person("FR", "aaf-d99", "9", pupil.ine) for pupil in people]
    one, other = ([key.name(each).encode() for each in names] for key in keys)
    return dict(zip(one, other, strict=True))


async def published(people: Sequence[Pupil], window_seconds: int = WINDOW_SECONDS) -> Cluster:
    cluster = Cluster(window_seconds)
    await cluster.pass_time(0)
    for pupil in people:
        cluster.publish(pupil.ine, pupil.change(1))
    await cluster.run()
    await cluster.pass_time(window_seconds)
    return cluster


def renamed(random: Random, people: Sequence[Pupil]) -> list[Pupil]:
    return [pupil._replace(given_name=name(random), family_name=name(random)) for pupil in people]


def sides(cluster: Cluster, since_us: int = 0) -> tuple[list[Read], list[Read]]:
    one, other = (cluster.read(provider, since_us) for provider in PROVIDERS)
    return one, other


def drawn(seed: int) -> Random:
    return Random(seed)  # noqa: S311  # synthetic people, no secret


@pytest.fixture(scope="module")
def people() -> list[Pupil]:
    return pupils(drawn(20260915), EVEN)


@pytest.fixture(scope="module")
def snapshot(people: Sequence[Pupil]) -> Cluster:
    return asyncio.run(published(people))


def test_the_attacks_would_find_what_they_look_for(people: Sequence[Pupil]) -> None:
    """Each finds a provider that has joined with itself."""
    cluster = asyncio.run(published(people[:500]))
    one, _ = sides(cluster)
    same = {record.key: record.key for record in one}
    found = {name: expected_joins(attack(one), attack(one), same) for name, attack in ATTACKS.items()}

    assert len(one) == 500
    assert {name for name, score in found.items() if score < 1} == set()
    assert found["pseudonym"] == found["event id"] == found["alias"] == found["place in the topic"] == 500


def test_two_snapshots_join_no_better_than_chance(people: Sequence[Pupil], snapshot: Cluster) -> None:
    one, other = sides(snapshot)
    scores = joins(one, other, truth_of(people))

    assert len(one) == len(other) == len(people) == 10_000
    assert better_than(CHANCE, scores) == {}


async def changed(cluster: Cluster, people: Sequence[Pupil], version: int) -> None:
    for pupil in people:
        cluster.publish(pupil.ine, pupil.change(version))
    await cluster.run()


def of_each_class(people: Sequence[Pupil], count: int) -> list[Pupil]:
    """So many of each, so that who changes tells no class apart."""
    by_class: dict[tuple[str, str], list[Pupil]] = defaultdict(list)
    for pupil in people:
        by_class[pupil.school, pupil.division].append(pupil)
    return [pupil for those in by_class.values() for pupil in those[:count]]


def test_changes_of_one_window_join_no_better_than_chance(people: Sequence[Pupil]) -> None:
    cluster = asyncio.run(published(people))
    random = drawn(7)
    live = renamed(random, of_each_class(people, 5))
    random.shuffle(live)

    async def living() -> None:
        for start in range(0, 2000, 50):  # over four minutes, as they come
            cluster.now_us += 6_000_000
            await changed(cluster, live[start : start + 50], 2)
        await cluster.pass_time(WINDOW_SECONDS)

    begun = cluster.now_us
    asyncio.run(living())
    one, other = sides(cluster, begun + 1)
    scores = joins(one, other, truth_of(live))

    assert len(one) == len(other) == 2000
    assert better_than(CHANCE, scores) == {}


def test_who_changes_in_one_window_is_hidden_among_those_who_do(people: Sequence[Pupil]) -> None:
    """What SECURITY.md says of windows: the smaller they are, the more they join; each joins one of its pupils."""
    cluster = asyncio.run(published(people[:1000]))
    live = renamed(drawn(8), people[:1000])

    async def living() -> None:
        for start in range(0, 1000, 100):
            await changed(cluster, live[start : start + 100], 2)
            await cluster.pass_time(WINDOW_SECONDS)

    begun = cluster.now_us
    asyncio.run(living())
    one, other = sides(cluster, begun + 1)
    scores = joins(one, other, truth_of(live))

    assert len(one) == 1000
    assert scores["instant"] == pytest.approx(10)
    assert scores["timestamp"] == pytest.approx(1)


def test_without_windows_whoever_watches_joins_all_who_change(people: Sequence[Pupil]) -> None:
    cluster = asyncio.run(published(people[:200], window_seconds=0))
    live = renamed(drawn(9), people[:200])

    async def living() -> None:
        for pupil in live:
            await cluster.pass_time(1)
            await changed(cluster, [pupil], 2)

    begun = cluster.now_us
    asyncio.run(living())
    one, other = sides(cluster, begun + 1)
    scores = joins(one, other, truth_of(live))

    assert len(one) == len(other) == 200
    assert scores["instant"] == 200
    assert scores["timestamp"] <= 2


def test_an_erasure_joins_whoever_watches_whatever_the_windows(people: Sequence[Pupil]) -> None:
    cluster = asyncio.run(published(people[:200]))

    async def leaving() -> None:
        for pupil in people[:200]:
            cluster.now_us += 1_000_000
            cluster.publish(pupil.ine, pupil.leaves(2))
            await cluster.run()

    begun = cluster.now_us
    asyncio.run(leaving())
    one, other = sides(cluster, begun + 1)
    scores = joins(one, other, truth_of(people[:200]))

    assert len(one) == len(other) == 200
    assert all(record.value is None for record in one)
    assert scores["instant"] == 200


def test_who_changes_in_several_windows_is_told_by_which_they_were(people: Sequence[Pupil]) -> None:
    """What SECURITY.md says of those who change often: each of 1,000 in about three of ten windows."""
    cluster = asyncio.run(published(people[:1000]))
    random = drawn(11)

    async def living() -> None:
        for version in range(2, 12):
            some = [pupil for pupil in people[:1000] if random.random() < 0.3]
            await changed(cluster, renamed(random, some), version)
            await cluster.pass_time(WINDOW_SECONDS)

    begun = cluster.now_us
    asyncio.run(living())
    one, other = sides(cluster, begun + 1)
    scores = joins(one, other, truth_of(people[:1000]))

    assert len(one) == len(other) > 2_500
    assert (round(scores["instant"]), round(scores["windows"])) == (10, 423)


def uneven(random: Random, schools: int, classes: tuple[int, int], sizes: tuple[int, int]) -> list[Pupil]:
    """So many schools, from so many to so many classes in each, and pupils in a class."""
    return pupils(random, [
        (uai(school), f"{number:02}", random.randint(*sizes))
        for school in range(schools)
        for number in range(random.randint(*classes))
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("seed", "schools", "classes", "sizes", "expected"),
    [
        pytest.param(10, 20, (15, 25), (18, 32), (9_949, 221), id="lower-secondary"),
        pytest.param(12, 16, (5, 8), (10, 30), (2_056, 91), id="primary"),
    ],
)
def test_classes_of_uneven_sizes_join_as_far_as_security_says(
    seed: int, schools: int, classes: tuple[int, int], sizes: tuple[int, int], expected: tuple[int, int]
) -> None:
    """At best one a class: who knows the class has all of its pupils to choose from."""
    random = drawn(seed)
    those = uneven(random, schools, classes, sizes)
    one, other = sides(asyncio.run(published(those)))
    scores = joins(one, other, truth_of(those))

    assert len(those) == len(one)
    assert better_than(CHANCE, scores, ["sizes of classes", "sizes of groups"]) == {}
    assert scores["sizes of classes"] <= len({(pupil.school, pupil.division) for pupil in those})
    assert (len(those), round(scores["sizes of classes"])) == expected


def test_groups_across_classes_join_as_far_as_security_says() -> None:
    """Languages and options, three a pupil: what she chose tells her apart in her class."""
    random = drawn(13)
    choices = ("LV1", 2), ("LV2", 3), ("OPT", 5)
    those = [
        pupil._replace(groups=tuple(
            f"{int(pupil.division) % 4}{subject}{random.randrange(count)}" for subject, count in choices
        ))
        for pupil in uneven(random, 20, (15, 25), (18, 32))
    ]  # fmt: skip
    one, other = sides(asyncio.run(published(those)))
    scores = joins(one, other, truth_of(those))

    assert better_than(CHANCE, scores, ["sizes of classes", "sizes of groups"]) == {}
    assert (len(those), round(scores["sizes of groups"])) == (10_770, 6_111)
