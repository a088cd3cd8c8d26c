import sqlite3
from pathlib import Path

import pytest

from services.console.accounts import Ended, Entry
from services.console.counts import Cell, Pace
from services.console.history import History
from services.console.model import Model, kept_since
from services.console.watching import Position
from services.console.withdrawals import Waiting
from services.contract.topology import CONSENTS, FILTERING_AUDIT

NOW = 500_000 * 3600.0 + 120
ENDS = (Ended("lecture/L", "erased", "R1/guardian-opposes", 1), Ended("lecture/L", "held", "no-image", 2))
DECIDED = Entry("filtering", CONSENTS, 2, 41, 3, NOW - 10, ENDS)


def restored(history: History) -> Model:
    model = Model()
    hour, minute = kept_since(NOW)
    model.restore(history.cells(hour), history.paces(minute), *history.standing(), NOW)
    return model


def test_console_goes_on_where_it_was_with_nothing_counted_twice(tmp_path: Path) -> None:
    history, model = History(tmp_path / "console.sqlite"), Model()
    for last in (10, 11):
        model.hear([DECIDED], [], NOW)
        history.write({(FILTERING_AUDIT, 2): last}, *model.take_unwritten(), model.watching.positions, model.flight)
    history.close()

    history = History(tmp_path / "console.sqlite")
    again = restored(history)

    assert history.offsets() == {(FILTERING_AUDIT, 2): 11}
    assert again.counts == model.counts
    assert history.cells(0)[Cell(500_000, "filtering", "lecture/L", "held", "no-image")] == 4
    assert history.paces(0)[Pace(int(NOW - 10) // 60, "filtering")] == 6
    assert again.watching.positions == {(CONSENTS, 2): Position(42, NOW - 10)}
    assert again.flight == model.flight
    assert again.flight.waiting("lecture") == Waiting(2, NOW - 10)
    history.close()


def test_write_that_fails_leaves_neither_counts_nor_offsets(tmp_path: Path) -> None:
    history, model = History(tmp_path / "console.sqlite"), Model()
    model.hear([DECIDED], [], NOW)
    cells, paces = model.take_unwritten()

    with pytest.raises(TypeError):
        history.write({(FILTERING_AUDIT, 2): 11}, cells, paces, {(CONSENTS, 2): object()}, model.flight)  # type: ignore[dict-item]

    assert (history.offsets(), history.cells(0)) == ({}, {})
    history.close()


def test_file_is_its_owner_s_and_what_is_old_goes(tmp_path: Path) -> None:
    history, model = History(tmp_path / "console.sqlite"), Model()
    model.hear([DECIDED], [], NOW)
    history.write({}, *model.take_unwritten(), {}, model.flight)

    history.forget(500_000 + 14 * 24 + 1, int(NOW) // 60 + 2 * 24 * 60)

    assert (history.cells(0), history.paces(0)) == ({}, {})
    assert (tmp_path / "console.sqlite").stat().st_mode & 0o077 == 0
    history.close()


def test_file_of_before_schools_were_told_keeps_its_counts(tmp_path: Path) -> None:
    before = sqlite3.connect(tmp_path / "console.sqlite")
    before.executescript(
        "CREATE TABLE cells (hour INTEGER, stage TEXT, contract TEXT, ending TEXT, reason TEXT, count INTEGER, "
        "PRIMARY KEY (hour, stage, contract, ending, reason)) WITHOUT ROWID;"
        "INSERT INTO cells VALUES (500000, 'filtering', 'lecture/L', 'held', 'no-image', 7);"
    )
    before.close()

    for _ in range(2):
        history = History(tmp_path / "console.sqlite")
        history.write({}, {Cell(500_000, "filtering", "lecture/L", "held", "no-image"): 1}, {}, {}, Model().flight)
        history.close()
    history = History(tmp_path / "console.sqlite")

    assert history.cells(0) == {Cell(500_000, "filtering", "lecture/L", "held", "no-image", ""): 9}
    history.close()
