"""The consumer below Faust's conductor: what it says of a partition that is being handed over."""

from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP


def fetching(position: int, lso: int) -> SimpleNamespace:
    return SimpleNamespace(position=position, lso=lso, timestamp=5, has_valid_position=True)


async def test_what_is_on_its_way_between_threads_is_not_decided(consumer: Any) -> None:
    tp = TP("in", 0)
    thread = consumer._thread
    thread._state_of = lambda _tp: fetching(position=3, lso=3)
    thread._handed[tp] = (3, 2)
    before = consumer.decided_until(tp)
    consumer._taken[tp] = 2
    taken = consumer.decided_until(tp)
    consumer._waiting[tp] = 1
    waiting = consumer.decided_until(tp)
    consumer._waiting[tp] = 0
    thread._state_of = lambda _tp: fetching(position=4, lso=4)

    assert [before, taken, waiting, consumer.decided_until(tp)] == [None, 5, None, None]


async def test_nothing_is_decided_of_a_partition_between_hold_and_seek(consumer: Any) -> None:
    tp = TP("in", 0)
    consumer._thread._state_of = lambda _tp: fetching(position=3, lso=3)
    consumer._thread._handed[tp] = (3, 0)
    before = consumer.decided_until(tp)
    consumer._waiting[tp] = 1
    consumer.hold({tp})

    assert [before, consumer.decided_until(tp)] == [5, None]


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
