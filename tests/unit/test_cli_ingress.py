import json
from pathlib import Path

import pytest

from ops import platforms
from ops.cli import main


def run(capsys: pytest.CaptureFixture[str], path: Path, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["ingress", *arguments, "--file", str(path)])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_token_is_printed_once_and_lets_its_platform_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "platforms.json"

    code, out, _ = run(capsys, path, "token", "ac-99", "--source", "ac-99", "--source", "ent-99", "--ine")
    _, again, _ = run(capsys, path, "token", "other", "--source", "other")

    known = platforms.read(path).platform_of(out.strip())
    assert (code, out.count("\n")) == (0, 1)
    assert known is not None
    assert (known.name, known.sources, known.ine) == ("ac-99", ("ac-99", "ent-99"), True)
    assert again != out


def test_platforms_are_listed_without_their_tokens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "platforms.json"
    _, token, _ = run(capsys, path, "token", "ac-99", "--source", "aaf-d99")

    _, listed, _ = run(capsys, path, "platforms", "--json")
    _, table, _ = run(capsys, path, "platforms")

    assert json.loads(listed) == {"platforms": [{"name": "ac-99", "sources": ["aaf-d99"], "ine": False}]}
    assert "aaf-d99" in table
    assert token.strip() not in listed + table


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        pytest.param(("token", "ac-99"), 2, "--source", id="no source"),
        pytest.param(("token", "ac-99", "--source", "ac-99"), 78, "--replace", id="there already"),
        pytest.param(("token", "AC 99", "--source", "ac-99"), 65, "lower-case", id="no name"),
        pytest.param(("token", "b", "--source", "a:b"), 65, "a source is as its changes write it", id="no source name"),
        pytest.param(("revoke", "nobody"), 78, "no such platform", id="nobody to revoke"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line_and_changes_nothing(
    arguments: tuple[str, ...], code: int, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "platforms.json"
    run(capsys, path, "token", "ac-99", "--source", "ac-99")
    before = path.read_bytes()

    actual, out, err = run(capsys, path, *arguments)

    assert (actual, out) == (code, "")
    assert why in err
    assert path.read_bytes() == before


def test_revoked_platform_is_gone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "platforms.json"
    run(capsys, path, "token", "ac-99", "--source", "ac-99")

    assert run(capsys, path, "revoke", "ac-99") == (0, "ac-99: revoked\n", "")
    assert platforms.read(path).platforms == ()


def test_file_that_is_no_register_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "platforms.json"
    path.write_text("ZORVELQUIMUR")

    code, _, err = run(capsys, path, "token", "ac-99", "--source", "ac-99")

    assert code == 78
    assert "ZORVELQUIMUR" not in err
    assert path.read_text() == "ZORVELQUIMUR"
