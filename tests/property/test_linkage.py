"""Two providers lay their topics side by side: what joins a pupil in the one to the same pupil in the other?"""

import asyncio
from collections.abc import Mapping, Sequence
from random import Random

import pytest

from services.contract.naming import name_of_person
from services.pseudonymisation.pseudonym import Pseudonymiser
from tests.property.linking import ATTACKS, better_than, expected_joins, joins
from tests.property.two_providers import (
    PARTITIONS,
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
    keys = [Pseudonymiser.under(KEYRING.provider_key("FR", provider, "pedagogical-access")) for provider in PROVIDERS]
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


@pytest.fixture(scope="module")
def people() -> list[Pupil]:
    return pupils(Random(20260915), EVEN)


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

    assert len(one) == len(other) == len(people) == 10_000
    assert better_than(CHANCE, joins(one, other, truth_of(people))) == {}
