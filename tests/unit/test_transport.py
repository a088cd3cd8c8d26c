"""The consumer below Faust's conductor: what it says of a partition that is being handed over."""

from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import IllegalStateError
from faust.types import TP

from services.runtime.fetching import NOTHING_FETCHED, Fetched
from services.runtime.records import Batch, CaughtUp, FetchedRecord


def fetching(position: int, lso: int) -> SimpleNamespace:
    return SimpleNamespace(position=position, lso=lso, timestamp=5, has_valid_position=True)


async def test_what_is_on_its_way_between_threads_is_not_decided(consumer: Any) -> None:
    tp = TP("in", 0)
    thread = consumer._thread
    thread._state_of = lambda _tp: fetching(position=3, lso=3)
    thread._handed[tp] = (3, 2)
    consumer.bearings.void(tp)
    before = consumer.decided_until(tp)
    consumer.bearings.take([tp], 2)
    waiting = consumer.decided_until(tp)
    consumer.release(Batch("in", 0, 1, ()))
    taken = consumer.decided_until(tp)
    thread._state_of = lambda _tp: fetching(position=4, lso=4)

    assert [before, taken, waiting, consumer.decided_until(tp)] == [None, CaughtUp(5, 3), None, None]


async def test_nothing_is_decided_of_a_partition_between_hold_and_seek(consumer: Any) -> None:
    tp = TP("in", 0)
    consumer._thread._state_of = lambda _tp: fetching(position=3, lso=3)
    consumer._thread._handed[tp] = (3, 0)
    before = consumer.decided_until(tp)
    consumer.bearings.take([tp], 0)
    consumer.hold({tp})

    assert [before, consumer.decided_until(tp)] == [CaughtUp(5, 3), None]


async def test_worker_that_is_left_without_a_partition_is_told(consumer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[set[TP], int]] = []

    async def on_assignment(assigned: set[TP], generation: int) -> None:
        told.append((assigned, generation))

    consumer.positions = SimpleNamespace(on_assignment=on_assignment)
    monkeypatch.setattr(consumer.app, "on_rebalance_return", lambda: None)
    await consumer.on_partitions_assigned(set(), 7)

    assert told == [(set(), 7)]


async def test_what_is_held_again_while_it_is_sought_stays_held(consumer: Any) -> None:
    first, second = TP("express", 0), TP("in", 0)
    positions = {first: 3, second: 7}
    sought: dict[TP, int] = {}

    async def seek_wait(partitions: dict[TP, int]) -> None:
        sought.update(partitions)
        positions.clear()  # given up: nobody knows a position of it any more
        consumer.hold({first, second})

    consumer._thread = SimpleNamespace(seek_wait=seek_wait, assignment=lambda: {first, second})
    consumer.positions = SimpleNamespace(next_offset=positions.__getitem__)
    consumer.hold({first, second})
    await consumer.go_on({first, second})

    assert sought == {first: 3, second: 7}
    assert consumer._get_active_partitions() == set()
    assert consumer.decided_until(second) is None


async def test_what_a_fetch_takes_of_a_partition_while_it_is_sought_is_fetched_again(consumer: Any) -> None:
    tp, sought, handed = TP("in", 0), list[dict[TP, int]](), list[Any]()

    async def seek_wait(partitions: dict[TP, int]) -> None:
        sought.append(partitions)

    async def fetch_under_way(_timeout: float) -> tuple[Fetched, None]:
        """It has begun before the partition is held, and ends when it is sought and not yet let go."""
        consumer.hold({tp})
        return Fetched({tp: [FetchedRecord("in", 0, 7, 0, b"k", b"v")]}, 1), None

    async def nothing(_timeout: float) -> tuple[Fetched, None]:
        return NOTHING_FETCHED, None

    consumer._thread = SimpleNamespace(seek_wait=seek_wait, assignment=lambda: {tp})
    consumer.positions = SimpleNamespace(next_offset=lambda _tp: 7)
    consumer.resume_flow()
    for wait_next_records in (fetch_under_way, nothing):
        consumer._wait_next_records = wait_next_records
        handed += [message async for message in consumer.getmany(1.0)]
    await consumer.go_on({tp})
    before = len(sought)
    handed += [message async for message in consumer.getmany(1.0)]
    handed += [message async for message in consumer.getmany(1.0)]

    assert handed == []
    assert (before, len(sought)) == (1, 2)


async def test_unreadable_record_that_was_met_before_a_hold_has_no_place_after_it(consumer: Any) -> None:
    tp = TP("in", 0)

    async def undecodable(_timeout: float) -> None:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    async def seek_wait(_partitions: dict[TP, int]) -> None:
        consumer.hold({tp})  # partitions are divided anew just now

    consumer.bearings.void(tp)
    consumer._wait_next_records = undecodable
    consumer._thread = SimpleNamespace(
        limit=1, unreadable=lambda: (tp, 7), seek_wait=seek_wait, assignment=lambda: {tp}
    )
    handed = [message async for message in consumer.getmany(1.0)]

    assert handed == []
    assert consumer.bearings.adrift == {tp}


@pytest.mark.parametrize("gone", [IllegalStateError, KeyError])
async def test_partition_that_goes_while_it_is_sought_stops_nobody(consumer: Any, gone: type[Exception]) -> None:
    tp = TP("in", 0)

    def next_offset(_tp: TP) -> int:
        raise gone

    consumer._thread = SimpleNamespace(assignment=lambda: {tp})
    consumer.positions = SimpleNamespace(next_offset=next_offset)
    consumer.bearings.adrift = {tp}
    await consumer._take_bearings()

    assert consumer.bearings.adrift == set()


async def test_nothing_but_our_watchdog_judges_whether_a_partition_goes_on(consumer: Any) -> None:
    consumer.verify_event_path(0.0, TP("in", 0))

    assert consumer._thread._consumer is None
