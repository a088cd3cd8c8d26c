import io
import json
import sys
from pathlib import Path

import pytest

from ops.cli import main
from ops.publishing.consents import last_words
from ops.rendering.nouns import NOUNS
from tests.contract.payload_examples import validator_of
from tests.replay.invented import consent, example
from tests.unit.edited import edit

GIVEN = example("consent-decision/1/guardian-gives", purpose="reading-practice", notice="n1")
OTHER = {**GIVEN, "provider": "zorvelquimur"}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main(["consent", "receipt", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def written(tmp_path: Path, *decisions: object, pretty: bool = False) -> str:
    path = tmp_path / "decisions.json"
    path.write_text("\n".join(json.dumps(one, indent=2 if pretty else None) for one in decisions), "utf-8")
    return str(path)


def test_receipt_is_in_french_unless_it_is_asked_for_in_english(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, GIVEN)

    french, english = run(capsys, path), run(capsys, path, "--lang", "en")

    assert (french[0], french[1].splitlines()[0], french[2]) == (0, "# Reçu d'un accord", "")
    assert (english[0], english[1].splitlines()[0], english[2]) == (0, "# Receipt of a consent", "")


@pytest.mark.parametrize("pretty", [True, False])
def test_decision_may_be_written_on_one_line_or_on_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, pretty: bool
) -> None:
    code, out, _ = run(capsys, written(tmp_path, GIVEN, pretty=pretty), "--format", "html")

    assert code == 0
    assert out.startswith('<!doctype html>\n<html lang="fr">')


def test_decision_comes_from_stdin(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(GIVEN).encode())))

    code, out, _ = run(capsys, "-")

    assert (code, out.splitlines()[0]) == (0, "# Reçu d'un accord")


def test_json_is_one_receipt_a_line_after_its_schema(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, written(tmp_path, GIVEN, {**GIVEN, "status": "withdrawn"}), "--json")

    receipts = [json.loads(line) for line in out.splitlines()]
    validator = validator_of(next(noun for noun in NOUNS if noun.title == "ConsentReceipt"))
    assert code == 0
    assert [validator.is_valid(receipt) for receipt in receipts] == [True, True]
    assert [one["dpv:hasRecordOfActivity"]["dpv:hasConsentStatus"]["@type"][0] for one in receipts] == [
        "dpv:ConsentGiven", "dpv:ConsentWithdrawn",
    ]  # fmt: skip


def test_what_has_no_receipt_is_told_by_its_place_and_the_others_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {**GIVEN, "status": "ZORVELQUIMUR"}

    code, out, err = run(capsys, written(tmp_path, OTHER, GIVEN, wrong))

    assert code == 1
    assert out.count("# Reçu d'un accord") == 1
    assert err.splitlines() == [
        "refused: 1: provider: it has no policy in that folder",
        "refused: 3: status: literal_error (1 in all) (not-this-schema)",
    ]
    assert "zorvelquimur" not in (out + err).lower()


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        pytest.param(OTHER, "provider: it has no policy in that folder", id="a provider without a policy"),
        pytest.param({**GIVEN, "purpose": "x"}, "purpose: no contract of this provider has it", id="another purpose"),
        pytest.param({**GIVEN, "provider": "gar", "purpose": "pedagogical-access"},
                     "purpose: it does not rest on consent", id="a public task"),
    ],
)  # fmt: skip
def test_without_one_receipt_the_exit_code_is_65(
    decision: object, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, written(tmp_path, decision))

    assert (code, out) == (65, "")
    assert err.splitlines()[0].startswith(f"refused: 1: {why}")


@pytest.mark.parametrize("arguments", [[], ["FILE", "--subject", "999000001AB"]])
def test_either_a_file_or_a_subject(arguments: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = [written(tmp_path, GIVEN) if one == "FILE" else one for one in arguments]

    code, out, _ = run(capsys, *given, "--bootstrap", "127.0.0.1:1")

    assert (code, out) == (2, "")


def test_particulars_that_are_missing_or_wrong_are_told_by_file_and_place(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "receipts/particulars.yaml"
    edit(file, "notice_language: fr", "notice_language: ZORVELQUIMUR")
    path = written(tmp_path, GIVEN)
    wrong = run(capsys, path, "--policies", str(folder))
    file.unlink()
    missing = run(capsys, path, "--policies", str(folder))

    assert wrong == (
        65, "", "sanctuaire: receipts/particulars.yaml: notice_language: string_pattern_mismatch (1 in all)\n",
    )  # fmt: skip
    assert missing == (65, "", "sanctuaire: receipts/particulars.yaml: cannot be read (No such file or directory)\n")


def test_last_word_of_each_party_counts_and_on_a_tie_the_more_restrictive() -> None:
    at, later = "2026-09-01T00:00:00Z", "2026-09-02T00:00:00Z"
    said = [
        consent("child", "withdrawn", later), consent("child", "given", at),
        consent("guardian:a:1", "given", at), consent("guardian:a:1", "refused", at),
        consent("guardian:a:1", "given", at, provider="gar"),
    ]  # fmt: skip

    assert [(one.party, one.provider, one.status) for one in last_words(said)] == [
        ("child", "lecture", "withdrawn"), ("guardian:a:1", "lecture", "refused"), ("guardian:a:1", "gar", "given"),
    ]  # fmt: skip
    assert last_words(reversed(said)) == [said[4], said[3], said[0]]
