import json
import shutil
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from ops.cli import main

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "data" / "aaf"
SCHEMA = json.loads((ROOT / "schemas" / "change.v1.schema.json").read_text("utf-8"))
ELEVE = "P_Complet_20260915_Eleve_0000.xml"


def convert(path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, list[dict[str, Any]], str]:
    code = main(["convert", "aaf", str(path), *options])
    said = capsys.readouterr()
    return code, [json.loads(line) for line in said.out.splitlines()], said.err


def test_each_request_of_the_files_is_one_change(capsys: pytest.CaptureFixture[str]) -> None:
    code, changes, said = convert(SAMPLES, capsys)

    assert (code, said) == (0, "")
    assert Counter((change["entity"], change["kind"]) for change in changes) == {
        ("nomenclature", "upsert"): 2,
        ("school", "upsert"): 1,
        ("person", "upsert"): 3,
        ("person", "patch"): 1,
        ("person", "delete"): 1,
    }


def test_each_line_follows_the_published_schema(capsys: pytest.CaptureFixture[str]) -> None:
    _, changes, _ = convert(SAMPLES, capsys)

    assert len(changes) == 8
    for change in changes:
        jsonschema.validate(change, SCHEMA)


def test_a_patch_says_only_what_it_changes(capsys: pytest.CaptureFixture[str]) -> None:
    _, changes, _ = convert(SAMPLES, capsys)

    (patch,) = [change for change in changes if change["kind"] == "patch"]

    assert patch["attributes"] == {"divisions": [{"school": "0999001W", "code": "6B"}], "groups": []}
    assert "source_attributes" not in patch


def test_an_archive_gives_what_its_folder_gives(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "export.tgz", "w:gz") as archive:
        archive.add(SAMPLES, ".")

    of_archive = convert(tmp_path / "export.tgz", capsys)
    of_folder = convert(SAMPLES, capsys)

    assert of_archive == of_folder


def test_the_source_may_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    _, changes, _ = convert(SAMPLES, capsys, "--source", "ent-test")

    assert {change["source"] for change in changes} == {"ent-test"}


def test_a_folder_knows_the_schools_of_the_folder_before(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for folder, part in (("1-complete", "EtabEducNat"), ("2-pupils", "Eleve")):
        (tmp_path / folder).mkdir()
        shutil.copy(SAMPLES / f"P_Complet_20260915_{part}_0000.xml", tmp_path / folder)

    pupils = tmp_path / "2-pupils" / ELEVE
    of_academy_99 = '<!-- degre="2D" --><!-- codeAcademieExport="99" -->'
    pupils.write_text(pupils.read_text("utf-8").replace('<!-- degre="2D" -->', of_academy_99), "utf-8")

    code, changes, said = convert(tmp_path, capsys)

    assert (code, said) == (0, "")
    assert changes[1]["attributes"]["school"] == "0999001W"


BROKEN = {
    "not XML": "CANARY is not XML",
    "wrong root": "<CANARY></CANARY>",
    "entity": '<!DOCTYPE ficAlimMENESR [<!ENTITY x "CANARY">]><ficAlimMENESR></ficAlimMENESR>',
    "truncated": '<?xml version="1.0"?><ficAlimMENESR><addRequest><identifier><id>CANARY',
    "too large": "<ficAlimMENESR><!--" + "CANARY" * 300_000,
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_and_the_others_are_read(
    text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(SAMPLES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "P_Complet_20260915_Eleve_0001.xml").write_text(text, "utf-8")

    code, changes, said = convert(tmp_path, capsys)

    assert code == 1
    assert len(changes) == 8
    assert said.startswith("refused: P_Complet_20260915_Eleve_0001.xml")
    assert said.count("\n") == 1
    assert "CANARY" not in said


def test_a_broken_record_is_refused_and_the_others_are_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = (SAMPLES / ELEVE).read_text("utf-8")
    (tmp_path / ELEVE).write_text(text.replace("<id>8800001</id>", "<id></id>"), "utf-8")

    code, changes, said = convert(tmp_path, capsys)

    assert (code, changes) == (1, [])
    assert said.startswith(f"refused: {ELEVE}, record 1, line ")
    assert said.endswith(": empty-id\n")


def test_what_aaf_does_not_declare_is_set_aside_with_its_number(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(SAMPLES, tmp_path, dirs_exist_ok=True)
    text = (SAMPLES / ELEVE).read_text("utf-8")
    strange = '<attr name="ENTEleveCouleur"><value>CANARY</value></attr></attributes>'
    (tmp_path / ELEVE).write_text(text.replace("</attributes>", strange), "utf-8")

    code, changes, said = convert(tmp_path, capsys)

    assert (code, len(changes)) == (0, 8)
    assert said == "set aside: attribute ENTEleveCouleur, 1 times\n"


def test_a_structure_that_nothing_explains_is_a_warning(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    shutil.copy(SAMPLES / ELEVE, tmp_path)

    code, changes, said = convert(tmp_path, capsys)

    assert (code, len(changes)) == (0, 1)
    assert said.startswith(f"warning: {ELEVE}, record 1, line ")
    assert "unexplained-structure" in said


def test_one_source_for_several_folders_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for folder in ("13", "14"):
        (tmp_path / folder).mkdir()
        shutil.copy(SAMPLES / ELEVE, tmp_path / folder)

    code, changes, said = convert(tmp_path, capsys, "--source", "one")

    assert (code, changes) == (1, [])
    assert said.startswith("refused: several folders hold exports")


def test_a_folder_without_exports_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "lisez-moi.txt").write_text("rien", "utf-8")

    code, changes, said = convert(tmp_path, capsys)

    assert (code, changes) == (1, [])
    assert said.startswith(
        "set aside: file lisez-moi.txt, 1 times\nrefused: no file there has the name of an AAF export"
    )


def test_a_damaged_archive_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "export.tgz").write_bytes(b"CANARY")

    code, changes, said = convert(tmp_path / "export.tgz", capsys)

    assert (code, changes) == (1, [])
    assert said.startswith("refused: ")
    assert "CANARY" not in said


def test_a_file_name_cannot_move_the_cursor(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "\x1b[2J.txt").write_text("rien", "utf-8")

    _, _, said = convert(tmp_path, capsys)

    assert "\x1b" not in said
