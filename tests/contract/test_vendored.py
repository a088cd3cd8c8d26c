import hashlib
import re
from pathlib import Path

import pytest
import yaml

from ops.rendering.files import ROOT
from services.console.words import LANGUAGES, Words
from services.contract.reasons import DROPS, REASONS, STAGES

CONSOLE = ROOT / "services/console"
STATIC = CONSOLE / "static"
VENDORED = yaml.safe_load((STATIC / "vendored.yaml").read_text("utf-8"))
OURS = {"console.css", "console.js", "icon.svg", "vendored.yaml", "LICENCES.md"}
NEVER = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe|Markup|hx-on")
ELSEWHERE = re.compile(r"https?://|//[a-z]+\.|@import|url\(")
ASKED = re.compile(r"words\([\"']([a-z0-9-]*[a-z0-9])[\"']")
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))


def test_all_that_is_not_ours_is_recorded() -> None:
    assert {file.name for file in STATIC.iterdir()} == OURS | VENDORED.keys()


@pytest.mark.parametrize("name", sorted(VENDORED))
def test_what_is_vendored_is_what_npm_had(name: str) -> None:
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == VENDORED[name]["sha256"]
    assert f"## {VENDORED[name]['package']}-{VENDORED[name]['version']}" in (STATIC / "LICENCES.md").read_text("utf-8")


def test_all_that_a_page_fetches_weighs_less_than_200_kilobytes_beside_the_page_itself() -> None:
    assert sum(file.stat().st_size for file in STATIC.iterdir() if file.suffix in {".js", ".css", ".svg"}) < 200_000


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.stem)
def test_no_template_holds_what_the_policy_would_not_run_or_what_escapes_escaping(template: Path) -> None:
    text = template.read_text("utf-8")

    assert (
        re.findall(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe|Markup|hx-on", text) == []
    )
    assert re.findall(r"https?://", text) == []


def test_nothing_of_ours_fetches_from_elsewhere() -> None:
    ours = [STATIC / "console.js", STATIC / "console.css"]

    assert [
        file.name for file in ours if re.search(r"https?://|//[a-z]+\.|@import|url\(", file.read_text("utf-8"))
    ] == []


def test_every_word_of_a_template_is_there_in_both_languages() -> None:
    words = yaml.safe_load((CONSOLE / "words.yaml").read_text("utf-8"))
    asked = {name for file in TEMPLATES for name in ASKED.findall(file.read_text("utf-8"))}

    assert asked - words.keys() == set()
    assert [name for name, said in words.items() if set(said) != set(LANGUAGES) or not all(said.values())] == []


@pytest.mark.parametrize("code", sorted({*REASONS, *STAGES, *DROPS}))
def test_every_code_says_in_both_languages_what_it_means_and_what_to_do(code: str) -> None:
    english, french = Words("en").of_code(code), Words("fr").of_code(code)

    assert all((english.sentence, english.action, french.sentence, french.action))
    assert (english.sentence, english.action) != (french.sentence, french.action)


def test_there_is_no_french_for_a_code_that_is_none() -> None:
    french = yaml.safe_load((CONSOLE / "reasons.fr.yaml").read_text("utf-8"))

    assert french.keys() - {*REASONS, *STAGES, *DROPS} == set()


def test_pictures_of_the_readme_are_there_and_light() -> None:
    named = re.findall(r"\]\((ops/manual/[a-z-]+\.png)\)", (ROOT / "README.md").read_text("utf-8"))

    assert named == ["ops/manual/console-overview.png", "ops/manual/console-reasons.png"]
    for name in named:
        content = (ROOT / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert len(content) < 350_000
