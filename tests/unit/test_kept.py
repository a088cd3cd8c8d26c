"""What is read of a compacted topic is kept outside memory, and is still a mapping."""

from datetime import UTC, datetime

import pytest

from ops.explaining.kept import Entry, Kept


def test_last_value_of_each_key_is_kept_with_its_instant_and_a_tombstone_takes_it_out() -> None:
    kept = Kept()
    for key, value, at_ms in [(b"a", b"1", 0), (b"b", b"2", 0), (b"a", b"3", 1_500), (b"b", None, 0), (b"c", None, 0)]:
        kept.take(key, value, at_ms)

    assert dict(kept) == {b"a": Entry(b"3", datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC))}
    assert (len(kept), kept.get(b"b")) == (1, None)


def test_error_about_a_key_that_is_not_there_does_not_name_it() -> None:
    with pytest.raises(KeyError) as raised:
        Kept()[b"aaf-d99:ZORVELQUIMUR"]

    assert raised.value.args == ()
