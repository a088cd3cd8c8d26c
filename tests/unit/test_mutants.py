import json
from pathlib import Path

import pytest

from ops.mutants.__main__ import main


def kept(folder: Path, module: str, *codes: int | None) -> None:
    meta = folder / f"{module}.py.meta"
    meta.parent.mkdir(parents=True, exist_ok=True)
    meta.write_text(json.dumps({"exit_code_by_key": {f"x_{n}": code for n, code in enumerate(codes)}}), "utf-8")


def test_score_is_told_by_module_and_is_enough_at_nine_in_ten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept(tmp_path, "services/a", 1, 1, 3, 1, 1)
    kept(tmp_path, "services/b", 1, 1, 1, 1, 0)

    assert main(tmp_path) == 0
    assert [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()] == [
        "services/a.py 5 of 5 killed 100.0% 0 survived, 0 undecided",
        "services/b.py 4 of 5 killed 80.0% 1 survived, 0 undecided",
        "all 9 of 10 killed 90.0% 1 survived, 0 undecided",
    ]


@pytest.mark.parametrize("code", [0, None, 33, -24], ids=["survived", "not tried", "no test", "timed out"])
def test_mutant_that_no_test_has_noticed_counts_against_the_score(tmp_path: Path, code: int | None) -> None:
    kept(tmp_path, "services/a", *[1] * 8, code)

    assert main(tmp_path) == 1
