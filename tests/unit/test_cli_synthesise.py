import json
from pathlib import Path

import pytest

from ops.cli import main


def synthesise(out: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    code = main(["synthesise", str(out), "--schools", "1", "--seed", "7", "--pupils-per-school", "12", *options])
    return code, capsys.readouterr().out


def test_the_files_that_were_written_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = synthesise(tmp_path, capsys)

    assert code == 0
    assert set(out.splitlines()) == {str(file) for file in tmp_path.iterdir()}


def test_every_request_that_was_written_is_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, out = synthesise(tmp_path, capsys, "--delta", "--encoding", "ISO-8859-15", "--json")
    written = sum(row["count"] for row in json.loads(out)["requests"])

    code = main(["convert", "aaf", str(tmp_path)])
    said = capsys.readouterr()

    assert (code, said.err) == (0, "")
    assert len(said.out.splitlines()) == written


def test_an_unknown_encoding_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out = synthesise(tmp_path, capsys, "--encoding", "EBCDIC")

    assert (code, out) == (2, "")
