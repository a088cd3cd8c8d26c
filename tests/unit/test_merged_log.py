from pathlib import Path

import orjson
import pytest

from ops import merged_log
from ops.broker.guardian import put_aside
from ops.merged_log import MergedLog


def line(second: int, event: str, **fields: object) -> bytes:
    at = f"2026-09-15T08:30:{second:02}.000+00:00"
    return orjson.dumps({"at": at, "level": "WARNING", "event": event, **fields}) + b"\n"


def append(journal: Path, *lines: bytes) -> None:
    with journal.open("ab") as file:
        file.writelines(lines)


@pytest.fixture
def journals(tmp_path: Path) -> dict[str, Path]:
    return {name: tmp_path / f"{name}.jsonl" for name in ("filtering-1", "gar")}


def test_events_stand_in_the_order_in_which_they_were_said(journals: dict[str, Path], tmp_path: Path) -> None:
    log = MergedLog(tmp_path / "services.log", journals)
    append(journals["filtering-1"], line(1, "waiting", stage="filtering", code="no-key"), line(3, "stopped"))
    append(journals["gar"], line(2, "started", provider="gar"))
    log.follow()
    log.follow()

    assert log.path.read_text("utf-8").splitlines() == [
        "2026-09-15 08:30:01.000 filtering-1 WARNING  waiting stage=filtering code=no-key",
        "2026-09-15 08:30:02.000 gar         WARNING  started provider=gar",
        "2026-09-15 08:30:03.000 filtering-1 WARNING  stopped",
    ]


def test_half_a_line_is_left_until_it_is_whole(journals: dict[str, Path], tmp_path: Path) -> None:
    log = MergedLog(tmp_path / "services.log", journals)
    whole = line(1, "stopped")
    append(journals["gar"], whole[:20])
    log.follow()
    before = log.path.exists()
    append(journals["gar"], whole[20:])
    log.follow()

    assert not before
    assert log.path.read_text("utf-8") == "2026-09-15 08:30:01.000 gar         WARNING  stopped\n"


@pytest.mark.parametrize("other", [b"KeyError: ZORVELQUIMUR\n", b'["ZORVELQUIMUR"]\n', b'{"ZORVELQUIMUR":1}\n', b"\n"])
def test_what_is_no_event_is_not_repeated(other: bytes, journals: dict[str, Path], tmp_path: Path) -> None:
    log = MergedLog(tmp_path / "services.log", journals)
    append(journals["gar"], other, line(1, "stopped"))
    log.follow()

    assert log.path.read_text("utf-8") == "2026-09-15 08:30:01.000 gar         WARNING  stopped\n"


def test_log_is_bounded_and_what_is_older_lies_beside_it(
    journals: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merged_log, "MAX_BYTES", 100)
    log = MergedLog(tmp_path / "services.log", journals)
    for second in range(10):
        append(journals["gar"], line(second, "stopped"))
        log.follow()

    assert sorted(path.name for path in tmp_path.glob("*.log")) == ["services.1.log", "services.log"]
    assert [len(path.read_text("utf-8").splitlines()) for path in sorted(tmp_path.glob("*.log"))] == [2, 2]


@pytest.mark.parametrize("times", [1, 2, 3])
def test_journal_that_was_put_aside_is_read_to_its_end_and_then_the_next(
    times: int, journals: dict[str, Path], tmp_path: Path
) -> None:
    log, journal = MergedLog(tmp_path / "services.log", journals), journals["gar"]
    append(journal, line(0, "started"))
    log.follow()
    for second in range(1, times + 1):
        append(journal, line(second, "waiting"))
        put_aside(journal)
        append(journal, line(second + 10, "stopped"))
    log.follow()
    log.follow()

    seconds = [int(said[17:19]) for said in log.path.read_text("utf-8").splitlines()]
    assert seconds == sorted([0, *range(1, times + 1), *range(11, times + 11)])


def test_journal_of_an_earlier_run_is_not_repeated(journals: dict[str, Path], tmp_path: Path) -> None:
    append(journals["gar"], line(0, "stopped"))
    put_aside(journals["gar"])
    log = MergedLog(tmp_path / "services.log", journals)
    log.follow()
    append(journals["gar"], line(1, "started"))
    log.follow()

    assert log.path.read_text("utf-8") == "2026-09-15 08:30:01.000 gar         WARNING  started\n"


def test_line_that_never_ends_is_passed_over(
    journals: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merged_log, "READ_BYTES", 200)
    log = MergedLog(tmp_path / "services.log", journals)
    append(journals["gar"], b"x" * 450 + b"\n", line(1, "stopped"))
    for _ in range(5):
        log.follow()

    assert log.path.read_text("utf-8") == "2026-09-15 08:30:01.000 gar         WARNING  stopped\n"
