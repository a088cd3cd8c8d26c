from tests.unit.memory_state import MemoryState


def state() -> MemoryState:
    made = MemoryState()
    made.apply({b"s/b": b"2", b"s/a": b"1", b"s/c": b"3", b"t/a": b"9", b"~offset/in": b"42"})
    return made


def test_scan_is_in_key_order_and_goes_on_after_a_key() -> None:
    assert list(state().scan(b"s/", None)) == [(b"s/a", b"1"), (b"s/b", b"2"), (b"s/c", b"3")]
    assert list(state().scan(b"s/", b"s/a")) == [(b"s/b", b"2"), (b"s/c", b"3")]
    assert list(state().scan(b"s/", b"s/c")) == []


def test_null_removes() -> None:
    made = state()
    made.apply({b"s/a": None, b"s/none": None})

    assert made.get(b"s/a") is None
    assert [key for key, _ in made.scan(b"s/", None)] == [b"s/b", b"s/c"]


def test_position_is_part_of_the_state() -> None:
    assert state().next_offset("in") == 42
    assert state().next_offset("other") is None
