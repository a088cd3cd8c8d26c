"""Guardians and pupils in partitions of their own, on a real broker: links meet whom they speak of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from ops.broker.embedded import EmbeddedBroker
from services.contract.links import Link
from services.contract.topology import CHANGES, CONSENTS, LINKS, POLICIES, UNLINKS, WITHDRAWALS
from tests.integration.pipeline_people import ine, joins, leaves, policies
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for
from tests.replay.invented import bytes_of, example, for_families

pytestmark = pytest.mark.broker

PARTITIONS = 5
PUPILS = 24
SECONDS = 80.0
"""The first of them also starts the stages."""


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(
        own_broker.bootstrap, tmp_path_factory.mktemp("guardians"), ("gar", "lecture"), PARTITIONS
    ) as made:
        families = for_families(until=None)
        places = tuple(place.model_copy(update={"secnumcloud": None}) for place in families.places)
        made.publish([(POLICIES, b"gar", bytes_of(families.model_copy(update={"places": places}))), policies()[1]])
        for name in made.names:
            made.start(name)
        yield made


def pupil(number: int, *guardians: int) -> Message:
    named = [{"id": f"g-{one}", "legal": "1"} for one in guardians]
    attributes = {"ine": ine(number), "guardians": named}
    change = example("change/1/pupil-joins", id=f"p-{number}", attributes=attributes)
    return CHANGES, ine(number).encode(), orjson.dumps(change)


def guardian(number: int) -> Message:
    change = example("change/1/guardian-joins", id=f"g-{number}")
    return CHANGES, f"aaf-d99:g-{number}".encode(), orjson.dumps(change)


def partitions(stages: Stages, *topics: str) -> dict[bytes, set[int]]:
    """In which partitions each key of these topics lies."""
    found: dict[bytes, set[int]] = {}
    for topic in topics:
        for row in stages.rows(topic):
            found.setdefault(row.key, set()).add(row.partition)
    return found


def kinds(stages: Stages) -> list[str]:
    return sorted(record["kind"] for record in stages.directory("gar").values())


def words(stages: Stages, topic: str) -> list[tuple[str, str, bool]]:
    links = [Link.model_validate_json(row.value) for row in stages.rows(topic)]
    return [(link.guardian, link.pupil, link.on) for link in links]


async def test_links_lie_where_a_platforms_own_producer_puts_what_it_says_of_the_guardian(stages: Stages) -> None:
    stages.publish([pupil(number, number) for number in range(PUPILS)])
    stages.publish([guardian(number) for number in range(PUPILS)])

    assert wait_for(stages.is_done, SECONDS)
    met = {key: found for key, found in partitions(stages, CHANGES, LINKS).items() if key.startswith(b"aaf-d99:")}
    assert len(words(stages, LINKS)) == PUPILS == len(met)
    assert [key for key, found in met.items() if len(found) != 1] == []
    assert len(set.union(*met.values())) == PARTITIONS
    assert kinds(stages) == ["guardian"] * PUPILS + ["pupil"] * PUPILS


async def test_guardian_is_released_when_her_pupil_is_and_withdrawn_with_the_last_one(stages: Stages) -> None:
    """Her two pupils, and she, are in three partitions."""
    known = PUPILS
    family = [guardian(100), pupil(100, 100), pupil(101, 100)]
    at: list[tuple[int, int]] = []
    for message in family:
        stages.publish([message])
        assert wait_for(stages.is_done, SECONDS)
        at.append(counts(stages, known))
    for number in (100, 101):
        stages.publish([leaves(number, "20261001.1.000000001")])
        assert wait_for(stages.is_done, SECONDS)
        at.append(counts(stages, known))

    assert at == [(0, 0), (1, 1), (1, 2), (1, 1), (0, 0)]
    assert [word for word in words(stages, UNLINKS) if word[0] == "aaf-d99:g-100"] == [
        ("aaf-d99:g-100", ine(100), False), ("aaf-d99:g-100", ine(101), False),
    ]  # fmt: skip
    withdrawn = [one["subject"] for one in stages.values(WITHDRAWALS)]
    assert sorted(withdrawn) == sorted([ine(100), ine(101), "aaf-d99:g-100"])
    mine: dict[str, Any] = {key.decode(): found for key, found in partitions(stages, CHANGES).items()}
    assert len(set.union(*(mine[name] for name in (ine(100), ine(101), "aaf-d99:g-100")))) == 3


async def test_consent_that_expires_is_withdrawn_at_its_instant(stages: Stages) -> None:
    until = datetime.now(UTC) + timedelta(seconds=8)
    given = {"subject": ine(200), "at": "2026-09-04T10:00:00+02:00"}
    child = example("consent-decision/1/child-gives", **given)
    holder = example("consent-decision/1/guardian-gives", until=until.isoformat(), **given)
    stages.publish([(CONSENTS, ine(200).encode(), orjson.dumps(one)) for one in (child, holder)])
    stages.publish([joins(200)])
    released = wait_for(lambda: len(stages.directory("lecture")) == 1, SECONDS)
    forgotten = wait_for(lambda: stages.directory("lecture") == {}, SECONDS)
    (withdrawn,) = [row for row in stages.rows(WITHDRAWALS) if orjson.loads(row.value)["subject"] == ine(200)]

    assert (released, forgotten) == (True, True)
    assert orjson.loads(withdrawn.value)["reasons"] == ["R13/consent-expired", "R10/holder-consent-missing"]
    assert 0 <= withdrawn.timestamp / 1000 - until.timestamp() < 15


def counts(stages: Stages, known: int) -> tuple[int, int]:
    """Guardians and pupils that the provider has beside those of the test before."""
    now = kinds(stages)
    return now.count("guardian") - known, now.count("pupil") - known
