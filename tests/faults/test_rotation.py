"""Names that change on several partitions under load, two stages killed twice in the middle: the same end, read anew.

`SANCTUAIRE_FAULTS_PEOPLE` and `SANCTUAIRE_FAULTS_PARTITIONS` scale it; with `-s` it says what it measured.
"""

import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ops.broker.embedded import EmbeddedBroker
from services.contract.topology import CONSENTS, OPERATIONS, POLICIES, PROVIDER_DIRECTORY
from services.pseudonymisation.keyring import Keyring
from tests.faults.guarantees import MARKS, SMALL_BATCHES
from tests.integration.pipeline_people import ine, joins, leaves, moves, policies
from tests.integration.pipeline_stages import Stages, installation, wait_for
from tests.integration.rotated_topic import keyring_of, keys, known_at, last_words, names_of, reached
from tests.replay.invented import bytes_of, objection

PEOPLE = int(os.environ.get("SANCTUAIRE_FAULTS_PEOPLE") or 800)
PARTITIONS = int(os.environ.get("SANCTUAIRE_FAULTS_PARTITIONS") or 2)
SECONDS = 60 + PEOPLE / 200
TENTH = PEOPLE // 10
LEAVE, OBJECT, MOVE = range(TENTH), range(TENTH, 2 * TENTH), range(2 * TENTH, 5 * TENTH)
VICTIMS = ("pseudonymisation", "connectors-gar")

pytestmark = [*(mark for mark in MARKS if mark.name != "timeout"), pytest.mark.timeout(120 + 3 * SECONDS)]


@dataclass
class Course:
    """What is left, and how far names had changed when the stages were killed."""

    stages: Stages
    old: set[str]
    keyring: Keyring
    renamed_at: list[int]
    retired: bool


@pytest.fixture(scope="module")
def course(own_broker: EmbeddedBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    folder, small = tmp_path_factory.mktemp("rotation"), PEOPLE <= 10_000
    with installation(
        own_broker.bootstrap, folder, partitions=PARTITIONS, environment=SMALL_BATCHES if small else {}
    ) as stages:
        began = time.monotonic()
        stages.publish([each for each in policies() if each[:2] == (POLICIES, b"gar")])
        for name in stages.names:
            stages.start(name)
        stages.publish(joins(number) for number in range(PEOPLE))
        assert wait_for(lambda: reached(stages, PROVIDER_DIRECTORY) >= PEOPLE, SECONDS)
        assert wait_for(lambda: len(last_words(stages)) == PEOPLE, SECONDS)
        say(f"{PEOPLE} people known after {time.monotonic() - began:.0f} s")
        yield rotated(stages)


def rotated(stages: Stages) -> Course:
    """Change everybody's name under load, and kill whoever is in the middle of it, twice."""
    old, began, before = names_of(keyring_of(stages), range(PEOPLE)), time.monotonic(), reached(stages, OPERATIONS)
    assert keys(stages, "rotate", "--by", "A. Operator") == 0
    renamed_at = [0]
    for share in range(2):
        assert wait_for(lambda: reached(stages, OPERATIONS) > before + renamed_at[-1], SECONDS)  # waited for at once
        for name in VICTIMS:
            stages.kill(name)
        # Else the filter would have gone over everybody before they are back.
        stages.stop("filtering")
        renamed_at.append(reached(stages, OPERATIONS) - before)
        load_with(stages, share)
        for name in (*VICTIMS, "filtering"):
            stages.start(name)
    retired = wait_for(lambda: keys(stages, "retire", "--by", "A. Operator") == 0, SECONDS)
    say(f"written when killed: {renamed_at[1:]} operations; retired: {retired} {time.monotonic() - began:.0f} s later")
    return Course(stages, old, keyring_of(stages), renamed_at, retired)


def load_with(stages: Stages, share: int) -> None:
    """Every second one of those who move, object and leave."""
    version = f"2026091{share}.1.000000001"
    stages.publish(moves(number, version, "4EME") for number in MOVE[share::2])
    stages.publish(
        (CONSENTS, ine(number).encode(), bytes_of(objection("open", "2026-09-10T08:30:00+02:00", subject=ine(number))))
        for number in OBJECT[share::2]
    )
    stages.publish(leaves(number, "20261001.1.000000001") for number in LEAVE[share::2])


def say(what: str) -> None:
    sys.stdout.write(f"rotation of {PEOPLE} on {PARTITIONS} partitions: {what}\n")


def test_stages_were_killed_while_names_changed_and_the_rotation_ends_all_the_same(course: Course) -> None:
    _, first, second = course.renamed_at

    assert 0 < first < second
    assert course.retired


def test_provider_ends_with_exactly_the_live_set_in_whatever_order_it_reads(course: Course) -> None:
    live = names_of(course.keyring, range(len(LEAVE), PEOPLE))
    restricted = names_of(course.keyring, OBJECT)
    moved = names_of(course.keyring, MOVE)
    ways = known_at(course.stages)
    say(f"{len(live)} live, {len(restricted)} of them restricted, read in {len(ways)} orders")

    assert {len(live - known.keys()) for known in ways} == {0}
    assert {len(known.keys() - live) for known in ways} == {0}
    assert {len({name for name in known if known[name].restricted} ^ restricted) for known in ways} == {0}
    assert {(known[name].fields or {}).get("level") for known in ways for name in moved} == {"4EME"}


def test_every_old_name_ends_in_the_order_to_forget_it(course: Course) -> None:
    words = last_words(course.stages)
    left = [name for name in course.old if words.get(name, b"never said") is not None]
    say(f"{len(course.old)} old names, {len(left)} of them without an end")

    assert left == []
    assert course.old.isdisjoint(names_of(course.keyring, range(PEOPLE)))
