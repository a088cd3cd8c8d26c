import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from ops import keys
from ops.cli import main
from tests.replay.invented import bytes_of, consent, joins
from tests.unit.edited import edit

SAMPLES = Path(__file__).parents[1] / "data" / "aaf"
NOON = ("--now", "2026-09-16T12:00:00+02:00")


def simulate(capsys: pytest.CaptureFixture[str], *options: str, path: Path = SAMPLES) -> tuple[int, str, str]:
    code = main(["simulate", "--input", str(path), *NOON, *options])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_everybody_in_the_files_is_counted_by_what_becomes_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, said = simulate(capsys, "--provider", "gar", "--json")
    shown = json.loads(out)
    (contract,) = shown["contracts"]

    assert (code, said) == (0, "")
    # A pupil, a teacher and a guardian joined; another pupil left, of whom nobody had ever heard.
    assert (shown["provider"], shown["people"], shown["without_image"]) == ("gar", 4, 0)
    assert [(row["end"], row["reason"], row["people"]) for row in contract["ends"]] == [
        ("released", "R3/public-task", 2),
        ("withheld", "R2/kind-not-in-contract", 1),
        ("withheld", "R2/subject-deleted", 1),
    ]
    assert contract["records"] == 2
    assert contract["fields"]["given_name"] == 2
    assert {"field": "ine", "rule": "R16", "people": 1} in contract["dropped"]
    assert {"field": "birth_date", "rule": "R17", "people": 2} in contract["dropped"]


def test_consents_are_taken_from_their_own_file(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    parties = ("child", "guardian:ac-99:8810001")
    about = {"until": None, "provider": "lecture", "purpose": "reading-practice", "notice": "n1"}
    given = [consent(party, "given", "2026-09-04T10:00:00+02:00", **about) for party in parties]
    (tmp_path / "consents.ndjson").write_bytes(b"\n".join(bytes_of(each) for each in given) + b"\nCANARY\n")

    code, out, said = simulate(
        capsys, "--provider", "lecture", "--json", "--consents", str(tmp_path / "consents.ndjson")
    )
    ends = {row["reason"]: row["people"] for row in json.loads(out)["contracts"][0]["ends"]}

    assert code == 1
    assert said == "refused: consents.ndjson, line 3: payload: not JSON in UTF-8 (not-json)\n"
    assert ends["R10/joint-consent"] == 1


def changes(folder: Path, *differences: dict[str, Any], rest: bytes = b"") -> Path:
    file = folder / "changes.ndjson"
    file.write_bytes(b"\n".join(bytes_of(joins(**each)) for each in differences) + b"\n" + rest)
    return file


PEOPLE = [{"id": f"p-{number}", "attributes": {"ine": f"99900000{number}ZZ"}} for number in range(5)]


def test_the_records_are_those_that_the_provider_would_read_in_the_order_of_their_names(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = changes(tmp_path, *PEOPLE)
    code, out, _ = simulate(capsys, "--provider", "gar", "--records", path=path)
    lines = [json.loads(line) for line in out.splitlines()]

    assert (code, len(lines)) == (0, 5)
    assert [line["pseudonym"] for line in lines] == sorted(line["pseudonym"] for line in lines)
    assert all(line["record"].keys() == {"kind", "purpose", "fields"} for line in lines)
    assert "99900000" not in out


def test_names_are_thrown_away_unless_keys_are_given(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = changes(tmp_path, *PEOPLE[:1])
    keys.init(tmp_path / "keys", "FR", os.urandom)
    given = ("--keys", str(tmp_path / "keys"))
    first, second = (simulate(capsys, "--provider", "gar", "--records", path=path)[1] for _ in range(2))
    third, fourth = (simulate(capsys, "--provider", "gar", "--records", *given, path=path)[1] for _ in range(2))

    assert first != second
    assert third == fourth


def test_a_bad_line_is_refused_by_its_number_and_the_others_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = changes(tmp_path, *PEOPLE[:2], rest=b'{"kind":"CANARY"}\n' + b"x" * 300_000 + b"\n")
    code, out, said = simulate(capsys, "--provider", "gar", "--json", path=path)

    assert (code, json.loads(out)["people"]) == (1, 2)
    assert said.splitlines() == [
        "refused: changes.ndjson, line 3: kind: literal_error (7 in all) (not-this-schema)",
        "refused: changes.ndjson, line 4: over 262144 bytes (too-large)",
    ]


def test_what_an_export_refuses_is_said_as_when_it_is_published(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shutil.copytree(SAMPLES, tmp_path, dirs_exist_ok=True)
    (tmp_path / "P_Complet_20260915_Eleve_0001.xml").write_text("CANARY is not XML", "utf-8")

    code, out, said = simulate(capsys, "--provider", "gar", "--json", path=tmp_path)

    assert (code, json.loads(out)["people"]) == (1, 4)
    assert said.startswith("refused: P_Complet_20260915_Eleve_0001.xml")
    assert "CANARY" not in said


def test_policies_may_be_others_than_the_project_s(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    edit(folder / "gar.yaml", "\n    kinds: [pupil, teacher, staff]", "\n    kinds: [pupil]")

    _, out, _ = simulate(capsys, "--provider", "gar", "--json", "--policies", str(folder))

    assert json.loads(out)["contracts"][0]["records"] == 1


def test_it_is_decided_at_the_instant_that_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = simulate(capsys, "--provider", "gar", "--json", "--now", "2025-12-31T12:00:00+01:00")

    assert json.loads(out)["contracts"][0]["ends"][0]["reason"] == "R2/contract-not-begun"


def test_the_tables_say_who_is_released_and_which_fields_leave(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = simulate(capsys, "--provider", "gar")

    assert code == 0
    assert out.startswith("Gestionnaire d'accès aux ressources: 4 people, 0 of them without an image\n")
    assert "of 2 released" in out


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        pytest.param(("--provider", "CANARY"), 68, "sanctuaire: no policy in policies/ is of that provider\n",
                     id="an unknown provider"),
        pytest.param(("--provider", "gar", "--now", "noon"), 2, "an instant is needed", id="no instant"),
        pytest.param(("--provider", "gar", "--now", "2026-09-16T12:00:00"), 2, "needs its offset", id="no offset"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_told_apart_by_its_exit_code(
    capsys: pytest.CaptureFixture[str], options: tuple[str, ...], code: int, message: str
) -> None:
    actual, out, said = simulate(capsys, *options)

    assert (actual, out) == (code, "")
    assert message in said
    assert "CANARY" not in said


def test_a_keyring_of_another_perimeter_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    keys.init(tmp_path / "keys", "BE", os.urandom)

    code, out, said = simulate(capsys, "--provider", "gar", "--keys", str(tmp_path / "keys"))

    assert (code, out) == (78, "")
    assert said == "sanctuaire: the keyring is of another perimeter than the policies\n"
