"""The filter while names change: who is said anew, how many a second, and from where after a restart."""

from typing import Any

import orjson
import pytest

from services.contract.key_acts import KEYS_KEY
from services.contract.policies import ProviderPolicy
from services.contract.topology import CHANGES, CONSENTS, MOVES, RELEASES, WITHDRAWALS
from services.filtering.agent import FilteringAgent
from services.filtering.rotation import CURSOR, ROTATED_A_SECOND, Cursor, cursor_of, dump
from services.filtering.subject import SUBJECT, load
from services.runtime.agent import NotYet
from tests.property.rotating import REKEYED, ROTATED, order
from tests.replay.invented import INE, MAIA, bytes_of, contract_with, delete, joins, objection, patch, policy
from tests.unit.partition_runs import Name, Partitions
from tests.unit.stage_runs import Stage, book

JOINS = (MAIA, bytes_of(joins()))
BEGAN = "aaf-d99:999-1001"
BOTH = (policy(), policy("consent-service"))


def filtering(*policies: ProviderPolicy) -> Stage:
    return Stage(FilteringAgent(book(*(policies or (policy(),)))))


def announce(stage: Stage, keyring: Any = ROTATED, announced: int = 1) -> None:
    _, key, value = order(keyring, announced)
    stage.agent._policies.apply(key, value)  # type: ignore[attr-defined]  # the book of this agent


def serials(stage: Stage) -> list[int]:
    return [each["key_serial"] for each in stage.of(RELEASES)]


async def test_who_is_known_is_released_again_under_the_names_of_now_and_once_only() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    announce(stage)
    await stage.tick()
    await stage.tick()

    first, second = stage.of(RELEASES)
    assert (first["key_serial"], second["key_serial"]) == (0, 1)
    assert second["seq"] > first["seq"]
    assert second["fields"] == first["fields"]


async def test_only_the_provider_that_was_rekeyed_is_told_anew() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    announce(stage, REKEYED, 2)
    await stage.tick()
    only_lecture = order(REKEYED, 3)[2].replace(b'"gar"', b'"lecture"').replace(b'"everyone":1', b'"everyone":0')
    other = filtering()
    await other.take(CHANGES, JOINS)
    other.agent._policies.apply(KEYS_KEY, only_lecture)  # type: ignore[attr-defined]  # the book of this agent
    await other.tick()

    assert serials(stage) == [0, 2]
    assert serials(other) == [0]


async def test_a_sweep_or_a_change_that_shows_nothing_says_nobody_anew_but_every_word_has_the_names_of_now() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    announce(stage)
    await stage.sweep()
    await stage.take(CHANGES, (MAIA, bytes_of(patch("20260916.1.000000001", regime=None))))
    quiet = serials(stage)
    await stage.take(CHANGES, (MAIA, bytes_of(patch("20260916.1.000000002", level="4EME"))))
    await stage.tick()

    assert quiet == [0]
    assert serials(stage) == [0, 1]


async def test_who_is_restricted_is_restricted_by_the_other_name_too() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    await stage.take(CONSENTS, (MAIA, bytes_of(objection("open", "2026-09-10T08:30:00+02:00"))))
    announce(stage)
    await stage.tick()
    (express,) = [each for each in stage.of(WITHDRAWALS) if "restricted" in each]
    (swept,) = [each for each in stage.of(RELEASES) if "restricted" in each]

    assert (express["key_serial"], swept["key_serial"]) == (0, 1)
    assert swept["reasons"] == ["R15/objection-open"]


async def test_who_is_held_is_named_anew_and_released_again_as_soon_as_it_may_be() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    stage.agent._policies.apply(b"gar", bytes_of(policy(version=5, contracts=[])))  # type: ignore[attr-defined]  # as above
    announce(stage)
    await stage.tick()
    held = stage.of(RELEASES)[-1]
    stage.agent._policies.apply(b"gar", bytes_of(policy(version=6)))  # type: ignore[attr-defined]  # as above
    await stage.sweep()
    again = stage.of(RELEASES)[-1]

    assert (held["renamed"], held["key_serial"], held["named_by"]["value"]) == (True, 1, INE)
    assert "fields" not in held
    assert (again["key_serial"], again["fields"]) == (1, stage.of(RELEASES)[0]["fields"])


async def test_who_was_erased_is_not_named_anew() -> None:
    stage = filtering(policy(contracts=contract_with()))
    await stage.take(CHANGES, JOINS)
    await stage.take(CHANGES, (MAIA, bytes_of(delete("20261001.1.000000001"))))
    announce(stage)
    await stage.tick()

    assert serials(stage) == [0]


async def test_nobody_is_said_anew_while_consents_are_stale() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    announce(stage)
    stage.now_us += 31_000_000
    stage.agent._policies.confirmed_us = 0  # type: ignore[attr-defined]  # as above
    await stage.tick()

    assert serials(stage) == [0]
    assert stage.state.get(CURSOR) is None


async def test_everybody_is_gone_over_at_a_bounded_pace_from_where_the_last_process_had_come() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    (raw,) = [raw for _, raw in stage.state.scan(SUBJECT, None)]
    people = 2 * ROTATED_A_SECOND + 10
    ines = [b"%09dAB" % number for number in range(people - 1)]
    stage.state.apply({SUBJECT + ine: raw.replace(INE.encode(), ine) for ine in ines})
    announce(stage)
    steps = []
    for _ in range(4):
        await stage.tick()
        steps.append(len(serials(stage)) - 1)
        policies = stage.agent._policies  # type: ignore[attr-defined]  # as above
        stage.agent = FilteringAgent(policies)
        stage.agent._applied_until[0] = stage.now_us  # what it hears at its first batch

    assert steps == [ROTATED_A_SECOND, 2 * ROTATED_A_SECOND, people, people]
    assert cursor_of(stage.state.get(CURSOR), 1) == Cursor(1, people, None)
    assert {load(raw).pairs["gar/GAR-2026"].serial for _, raw in stage.state.scan(SUBJECT, None)} == {1}


async def test_another_announcement_goes_over_everybody_once_more_and_says_nothing_twice() -> None:
    stage = filtering()
    await stage.take(CHANGES, JOINS)
    announce(stage)
    await stage.tick()
    announce(stage, announced=2)
    await stage.tick()

    assert serials(stage) == [0, 1]
    assert cursor_of(stage.state.get(CURSOR), 2) == Cursor(2, 1, None)


async def test_partition_that_was_decided_under_later_names_waits_for_them() -> None:
    stage = filtering()
    announce(stage)
    await stage.take(CHANGES, JOINS)
    behind = Stage(FilteringAgent(book(policy())))
    behind.state = stage.state
    change = (MAIA, bytes_of(patch("20260916.1.000000001", level="4EME")))
    with pytest.raises(NotYet, match="policy-not-here"):
        await behind.take(CHANGES, change)
    announce(behind)
    await behind.take(CHANGES, change)

    assert serials(behind) == [1]


@pytest.mark.parametrize(
    ("contracts", "fields"), [(contract_with(), dict), ([], type(None))], ids=["released again", "named anew alone"]
)
async def test_who_was_handed_over_is_named_anew_where_she_began_and_by_what_named_her_first(
    contracts: list[Any], fields: type
) -> None:
    partitions = Partitions(policy())
    late = joins(version="20260915.1.000000001", attributes={"ine": None}), joins(version="20260915.1.000000002")
    for each in late:
        await partitions.tell(CHANGES, BEGAN, bytes_of(each))
    partitions.book.apply(b"gar", bytes_of(policy(version=5, contracts=contracts)))
    _, key, value = order(ROTATED, 1)
    partitions.book.apply(key, value)
    already = len(partitions.sent)
    await partitions.tick(INE)
    await partitions.tick(BEGAN)

    (anew,) = partitions.sent[already:]
    assert (anew.partition, anew.topic, anew.name) == (BEGAN, RELEASES, Name("gar", "local", "999-1001"))
    assert isinstance(anew.fields, fields)


async def handed_over_late() -> Partitions:
    """Her INE comes once everybody in its partition was gone over, and nobody in hers."""
    partitions = Partitions(policy())
    await partitions.tell(CHANGES, BEGAN, bytes_of(joins(version="20260915.1.000000001", attributes={"ine": None})))
    _, key, value = order(ROTATED, 1)
    partitions.book.apply(key, value)
    await partitions.tick(INE)
    await partitions.tell(CHANGES, BEGAN, bytes_of(joins(version="20260915.1.000000002")))
    return partitions


async def test_who_is_handed_over_once_everybody_was_gone_over_is_said_anew_at_once() -> None:
    partitions = await handed_over_late()

    assert partitions.subject(INE).pairs["gar/GAR-2026"].serial == 1
    assert [each.partition for each in partitions.sent] == [BEGAN, BEGAN]


async def test_who_is_known_under_names_that_have_not_come_here_waits_for_them_before_she_is_handed_over() -> None:
    partitions = await handed_over_late()
    (moved,) = [value for topic, _, value in partitions.moved if topic == MOVES and b'"state"' in value]
    renamed = moved.replace(digest_in(moved), digest_in(moved) + b"/1")
    behind = filtering()
    with pytest.raises(NotYet, match="policy-not-here"):
        await behind.take(MOVES, (INE.encode(), renamed))
    announce(behind)
    await behind.take(MOVES, (INE.encode(), renamed))

    assert load(behind.state.get(SUBJECT + INE.encode())).pairs["gar/GAR-2026"].serial == 1


def digest_in(moved: bytes) -> bytes:
    """What the pair that is handed over was last said as."""
    return str(orjson.loads(moved)["state"]["pairs"]["gar/GAR-2026"][2]).encode()


@pytest.mark.parametrize(
    "cursor",
    [Cursor(3, 0, b""), Cursor(3, 250, b"s/a b >."), Cursor(3, 251, None)],
    ids=["the start", "a key with blanks", "the end"],
)
def test_cursor_is_read_as_it_was_kept_and_not_for_another_announcement(cursor: Cursor) -> None:
    assert cursor_of(dump(cursor), 3) == cursor
    assert cursor_of(dump(cursor), 4) == Cursor(4, 0, b"")
    assert cursor_of(None, 3) == Cursor(3, 0, b"")


def test_order_names_the_serial_of_each_provider() -> None:
    said = orjson.loads(order(REKEYED, 1)[2])

    assert (said["everyone"], said["providers"]) == (1, {"gar": 2})
