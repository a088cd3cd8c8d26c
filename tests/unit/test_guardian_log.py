from pathlib import Path

import pytest

from ops.broker.guardian import Log, older, put_aside
from ops.last_words import last_failure


def read(log: Path) -> list[bytes]:
    """The log and those put aside, the newest first."""
    return [path.read_bytes() for path in (log, *(older(log, number) for number in range(1, 10))) if path.exists()]


@pytest.mark.parametrize(
    ("said", "files"),
    [
        pytest.param([b"12345\n", b"789\n"], [b"12345\n789\n"], id="it-fits"),
        pytest.param([b"12345\n", b"789a\n"], [b"", b"12345\n789a\n"], id="one-byte-too-many"),
        pytest.param([b"12345\n", b"789abc\nde\n"], [b"de\n", b"12345\n789abc\n"], id="the-line-is-ended-first"),
        pytest.param([b"12345", b"6789", b"abc", b"d\ne\n"], [b"e\n", b"123456789abcd\n"], id="a-line-in-pieces"),
        pytest.param(
            [b"1234567890", b"1234567890", b"x", b"345"], [b"345", b"12345678901234567890x"],
            id="a-line-that-fills-two-logs",
        ),
    ],
)  # fmt: skip
def test_a_log_holds_whole_lines(said: list[bytes], files: list[bytes], tmp_path: Path) -> None:
    with Log(tmp_path / "log.jsonl", max_bytes=10) as log:
        for part in said:
            log.write(part)

    assert read(tmp_path / "log.jsonl") == files


def test_log_goes_on_after_what_was_there_and_counts_it(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b"12345678\n")
    with Log(tmp_path / "log.jsonl", max_bytes=10) as log:
        log.write(b"ab\n")
        log.write(b"cd\n")

    assert read(tmp_path / "log.jsonl") == [b"cd\n", b"12345678\nab\n"]


def test_three_logs_are_kept_beside_the_present_one(tmp_path: Path) -> None:
    for number in range(1, 6):
        (tmp_path / "log.jsonl").write_bytes(b"%d" % number)
        put_aside(tmp_path / "log.jsonl")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.1.jsonl", "log.2.jsonl", "log.3.jsonl"]
    assert read(tmp_path / "log.jsonl") == [b"5", b"4", b"3"]


def test_failure_is_found_though_the_log_was_put_aside_right_after_it(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(b'{"event":"failed","kind":"StoreFailed","where":"a.b:1"}\n')
    put_aside(tmp_path / "log.jsonl")
    (tmp_path / "log.jsonl").write_bytes(b'{"event":"stopped"}\n')

    assert last_failure(tmp_path / "log.jsonl") == "failed StoreFailed a.b:1"
