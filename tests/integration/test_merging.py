"""From a collège to a lycée of another académie, on a real broker: two keys in two partitions that prove to be one."""

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from ops.broker.embedded import EmbeddedBroker
from ops.cli import main
from ops.explaining.states import partition_of
from services.contract.topology import CHANGES, CONSENTS, MOVES, RELEASES, WITHDRAWALS
from tests.integration.pipeline_people import ine, policies
from tests.integration.pipeline_stages import Message, Stages, installation, wait_for
from tests.replay.invented import example

pytestmark = pytest.mark.broker

PARTITIONS = 5
SECONDS = 60.0
PUPILS = 6
OLD_ENOUGH = "2009-05-03"


@pytest.fixture(scope="module")
def stages(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stages]:
    with installation(own_broker.bootstrap, tmp_path_factory.mktemp("merging"), ("gar", "lecture"), PARTITIONS) as made:
        made.publish(policies())
        for name in made.names:
            made.start(name)
        yield made


def old_key(number: int) -> str:
    """Under which the collège published her; never in the partition of her INE."""
    return next(
        key for suffix in range(100)
        if partition_of(key := f"aaf-d99:p-{number}-{suffix}", PARTITIONS) != partition_of(ine(number), PARTITIONS)
    )  # fmt: skip


def collegian(number: int, version: int, known: str | None, level: str = "3EME") -> Message:
    key = old_key(number)
    said: dict[str, Any] = {"ine": known, "birth_date": OLD_ENOUGH, "guardians": [], "level": level}
    local, at = key.partition(":")[2], f"20260901.1.{version:09d}"
    change = example("change/1/pupil-joins", id=local, version=at, attributes=said)
    return CHANGES, key.encode(), orjson.dumps(change)


def leaves(number: int, version: int) -> Message:
    key = old_key(number)
    at = f"20260901.1.{version:09d}"
    return CHANGES, key.encode(), orjson.dumps(example("change/1/pupil-leaves", id=key.partition(":")[2], version=at))


def lyceen(number: int) -> Message:
    said = {"ine": ine(number), "birth_date": OLD_ENOUGH, "guardians": [], "level": "2DE"}
    change = example("change/1/pupil-joins", source="aaf-d98", id=f"l-{number}", version="20260902.0.000000001",
                     attributes=said)  # fmt: skip
    return CHANGES, ine(number).encode(), orjson.dumps(change)


def decides(number: int, status: str, day: int) -> Message:
    """Under the key that her collège knows her by."""
    key = old_key(number)
    decision = example("consent-decision/1/child-gives", subject=key, status=status, until=None,
                       at=f"2026-09-{day:02d}T10:00:00+02:00")  # fmt: skip
    return CONSENTS, key.encode(), orjson.dumps(decision)


def settle(stages: Stages, *messages: Message) -> None:
    stages.publish(messages)
    assert wait_for(stages.is_done, SECONDS)


def names(stages: Stages, provider: str) -> set[str]:
    return set(stages.directory(provider))


def levels(stages: Stages, provider: str) -> list[str]:
    return sorted(record["fields"]["level"] for record in stages.directory(provider).values())


def moves(stages: Stages) -> Counter[str]:
    """What the filter's partitions told each other, by kind."""
    return Counter(
        value.decode().removeprefix("sanctuaire.").removesuffix(".v1")
        for row in stages.rows(MOVES) for name, value in row.headers if name == "ce_type"
    )  # fmt: skip


def partitions(stages: Stages, topic: str) -> set[int]:
    return {row.partition for row in stages.rows(topic)}


async def test_pupil_keeps_her_pseudonym_from_one_school_to_the_next_and_what_she_decided_under_the_old_key_counts(
    stages: Stages,
) -> None:
    """All have the same names, birth date, school and class, and their identifiers follow one another: as twins do."""
    everybody = range(PUPILS)
    settle(stages, *(collegian(number, 1, None) for number in everybody))
    settle(stages, *(decides(number, "given", 4) for number in everybody))
    before = {provider: names(stages, provider) for provider in stages.providers}
    settle(stages, *(collegian(number, 2, ine(number)) for number in everybody))
    settle(stages, *(lyceen(number) for number in everybody))
    settle(stages, *(leaves(number, 3) for number in everybody))
    at_the_new_school = {provider: (names(stages, provider), levels(stages, provider)) for provider in stages.providers}
    settle(stages, decides(0, "withdrawn", 6))

    assert {provider: len(found) for provider, found in before.items()} == {"gar": PUPILS, "lecture": PUPILS}
    assert at_the_new_school == {provider: (before[provider], ["2DE"] * PUPILS) for provider in stages.providers}
    assert len(names(stages, "lecture")) == PUPILS - 1
    assert names(stages, "lecture") < before["lecture"]
    assert names(stages, "gar") == before["gar"]
    (withdrawal,) = stages.values(WITHDRAWALS)
    assert (withdrawal["subject"], withdrawal["provider"]) == (old_key(0), "lecture")
    # Her leaving, from each of them, and the one withdrawal.
    assert moves(stages) == {"claim": PUPILS, "merged": PUPILS, "moved": PUPILS, "forwarded": PUPILS + 1}
    assert len(partitions(stages, MOVES)) > 1
    assert stages.twice_accounted("filtering") == []
    assert stages.unaccounted("filtering", [CHANGES, CONSENTS, MOVES]) == []


def test_merge_is_explained_under_either_key_and_the_pair_is_followed_to_where_it_began(
    stages: Stages, capsys: pytest.CaptureFixture[str]
) -> None:
    found = []
    for typed in (old_key(1), ine(1)):
        capsys.readouterr()
        code = main(["explain", typed, "gar", "--json", "--keys", str(stages.folder / "keys"),
                     "--bootstrap", stages.bootstrap, "--by", "a.dupuis"])  # fmt: skip
        trace = json.loads(capsys.readouterr().out)
        (contract,) = trace["contracts"]
        words = [line["word"] for line in contract["delivery"]["stages"]]
        found.append((code, trace["subject"], trace["keys"]["merged"], contract["pseudonym"], words))

    assert [each[:3] for each in found] == [(0, old_key(1), 1), (0, ine(1), 1)]
    assert {each[3] for each in found} <= names(stages, "gar")
    assert [each[4] for each in found] == [["taken", "told", "delivered"]] * 2


async def test_provider_that_had_her_twice_has_her_once_though_the_filter_is_killed_at_each_step(
    stages: Stages,
) -> None:
    number, known = 50, names(stages, "gar")
    settle(stages, collegian(number, 1, None), lyceen(number))
    twice, told = names(stages, "gar") - known, len(stages.rows(MOVES))
    stages.publish([collegian(number, 2, ine(number))])
    for step in range(1, 3):
        assert wait_for(lambda step=step: len(stages.rows(MOVES)) >= told + step, SECONDS)  # type: ignore[misc]  # bound
        stages.kill("filtering")
        stages.start("filtering")
    assert wait_for(lambda: len(stages.rows(MOVES)) == told + 3 and stages.is_done(), SECONDS)
    (once,) = names(stages, "gar") - known
    hers = {old_key(number), ine(number)}
    said = [one for topic in (RELEASES, WITHDRAWALS) for one in stages.values(topic) if one["subject"] in hers]

    assert len(twice) == 2
    assert once in twice
    assert stages.directory("gar")[once]["fields"]["level"] == "2DE"
    assert sorted((one["named_by"]["type"], "fields" in one) for one in said) == [
        ("INE", True), ("local", False), ("local", True),
    ]  # fmt: skip
    assert stages.twice_accounted("filtering") == []
