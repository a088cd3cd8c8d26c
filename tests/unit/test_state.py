"""What every state must do, the one of the tests and the one on disk."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.benchmarks.memory_state import MemoryState
from services.runtime.state import State
from services.runtime.store import PartitionStore

HELD = {b"s/b": b"2", b"s/a": b"1", b"s/c": b"3", b"t/a": b"9", b"s/gone": b"0", b"~offset/in": b"42"}


@pytest.fixture(params=["memory", "disk"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    if request.param == "memory":
        memory = MemoryState()
        memory.apply(HELD)
        memory.apply({b"s/gone": None, b"s/none": None})
        yield memory
        return
    store = PartitionStore(tmp_path, "topic")
    store.apply(HELD, 6, 1000)
    store.apply({b"s/gone": None, b"s/none": None}, 8, 2000)
    yield store
    store.close()


def test_scan_is_in_key_order_and_goes_on_after_a_key(state: State) -> None:
    assert list(state.scan(b"s/", None)) == [(b"s/a", b"1"), (b"s/b", b"2"), (b"s/c", b"3")]
    assert list(state.scan(b"s/", b"s/a")) == [(b"s/b", b"2"), (b"s/c", b"3")]
    assert list(state.scan(b"s/", b"s/aa")) == [(b"s/b", b"2"), (b"s/c", b"3")]
    assert list(state.scan(b"s/", b"a")) == [(b"s/a", b"1"), (b"s/b", b"2"), (b"s/c", b"3")]
    assert list(state.scan(b"s/", b"s/c")) == []
    assert list(state.scan(b"s/", b"t")) == []


def test_scan_of_everything_shows_the_stages_keys_and_positions_alone(state: State) -> None:
    assert [key for key, _ in state.scan(b"", None)] == [b"s/a", b"s/b", b"s/c", b"t/a", b"~offset/in"]


def test_null_removes(state: State) -> None:
    assert state.get(b"s/gone") is None
    assert state.get(b"s/none") is None


def test_many_keys_are_answered_in_their_order(state: State) -> None:
    assert state.get_many([b"t/a", b"s/gone", b"s/a", b"t/a"]) == [b"9", None, b"1", b"9"]
    assert state.get_many([]) == []


def test_position_is_part_of_the_state(state: State) -> None:
    assert state.next_offset("in") == 42
    assert state.next_offset("other") is None
