import shutil
from pathlib import Path
from typing import get_args

from ops.rendering import render
from ops.rendering.files import ROOT
from ops.rendering.manual import row_count, rules_of, rules_page
from services.contract.reasons import REASONS, STAGES, Rule
from tests.spec.table import rows

CHAPTERS = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "tests" / "spec" / "rules").glob("*.md"))]
PAGE = rules_page(ROOT)


def test_every_rule_is_explained_once_and_names_its_source() -> None:
    explained = [rule for chapter in CHAPTERS for rule in rules_of(chapter)]

    assert sorted(explained) == sorted(get_args(Rule))
    assert sum(line.startswith("Source: ") for chapter in CHAPTERS for line in chapter.splitlines()) == 24


def test_every_reason_code_is_on_the_page_with_what_to_do() -> None:
    lines = PAGE.splitlines()
    missing = [
        code
        for code, meaning in [*REASONS.items(), *STAGES.items()]
        if not any(line.startswith(f"| `{code}` |") and line.endswith(f"| {meaning.sentence} | {meaning.action} |")
                   for line in lines)
    ]  # fmt: skip

    assert missing == []


def test_every_row_is_on_the_page_and_counted() -> None:
    lines = PAGE.splitlines()
    shown = [row.case for row in rows() if any(line.startswith(f"| {row.case} |") for line in lines)]

    assert len(shown) == len(rows()) == sum(row_count(chapter) for chapter in CHAPTERS)
    assert "91 rows, each of which a test runs:" in PAGE


def test_row_that_was_changed_without_rendering_is_named(tmp_path: Path) -> None:
    for folder in ("schemas", "tests/spec", "ops/manual"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    table = tmp_path / "tests" / "spec" / "rules" / "R15.md"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace("| open | public task |", "| still open | public task |"), encoding="utf-8")

    assert render(tmp_path, check=True) == ["ops/manual/rules.md"]
    assert render(tmp_path, check=False) == ["ops/manual/rules.md"]
    assert "| still open | public task |" in (tmp_path / "ops" / "manual" / "rules.md").read_text(encoding="utf-8")
