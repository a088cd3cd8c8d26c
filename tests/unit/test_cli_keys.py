import json
from pathlib import Path

import pytest

from ops.cli import main

# The vector of design/pseudonyms.md, computed there with two independent tools.
VECTOR = {
    "--perimeter": "FR",
    "--provider": "prov-a.example",
    "--purpose": "pedagogical-access",
    "--epoch": "1",
    "--generation": "0",
    "--class": "person",
    "--namespace": "fr-idf",
    "--type": "INE",
    "--value": "1234567890A",
}


def pseudonym(tmp_path: Path, *flags: str, **changed: str) -> int:
    root = tmp_path / "root"
    root.write_bytes(bytes(range(32)))
    options = {**VECTOR, **{f"--{name}": value for name, value in changed.items()}}
    return main(
        ["pseudonym", "--root-file", str(root), *(part for option in options.items() for part in option), *flags]
    )


@pytest.mark.parametrize(
    ("provider", "flags", "expected"),
    [
        pytest.param("prov-a.example", (), "gbhsd4ne3yi56r6dhee7ckmto3od2a6h", id="one provider"),
        pytest.param("prov-b.example", (), "gls5zdqctiwgknqkqxgkooe3ce5wku2d", id="another provider"),
        pytest.param("prov-a.example", ("--uuid",), "304f21f1-a4de-81df-87c3-3909f1299376", id="UUID"),
    ],
)
def test_the_whole_chain_gives_the_published_vector(
    provider: str, flags: tuple[str, ...], expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = pseudonym(tmp_path, *flags, provider=provider)

    said = capsys.readouterr()

    assert (code, said.out, said.err) == (0, f"{expected}\n", "")


@pytest.mark.parametrize("value", ["NULL", "", " na ", "CANARY"])
def test_what_is_no_identifier_prints_nothing_on_stdout(
    value: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = pseudonym(tmp_path, value=value)

    said = capsys.readouterr()

    assert (code, said.out) == (65, "")
    assert said.err.startswith("sanctuaire: INE: ")
    assert "CANARY" not in said.err


def test_a_missing_root_file_exits_78(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    options = [part for option in VECTOR.items() for part in option]

    code = main(["pseudonym", "--root-file", str(tmp_path / "none"), *options])

    said = capsys.readouterr()

    assert (code, said.out, said.err.count("\n")) == (78, "", 1)


def test_keys_are_made_once_and_named_as_the_services_read_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = main(["keys", "init", "--directory", str(tmp_path / "keys"), "--perimeter", "FR"])
    names = [line.split("=")[0] for line in capsys.readouterr().out.splitlines()]
    again = main(["keys", "init", "--directory", str(tmp_path / "keys")])
    said = capsys.readouterr().err

    assert made == 0
    assert names == ["SANCTUAIRE_KEYRING_FILE", "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE"]
    assert again == 78
    assert said.endswith("already there, and keys are never overwritten\n")


def test_the_state_of_new_keys_is_one_active_epoch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["keys", "init", "--directory", str(tmp_path), "--perimeter", "FR"])
    capsys.readouterr()

    code = main(["keys", "status", "--directory", str(tmp_path), "--json"])

    assert code == 0
    assert json.loads(capsys.readouterr().out) == {
        "perimeter": "FR",
        "serial": 0,
        "active_epoch": 1,
        "epochs": [{"epoch": 1, "state": "active"}],
        "generations": [],
    }


def test_the_state_is_shown_to_people_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["keys", "init", "--directory", str(tmp_path)])
    capsys.readouterr()

    main(["keys", "status", "--directory", str(tmp_path)])

    assert "active" in capsys.readouterr().out


def test_without_keys_the_command_that_makes_them_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["keys", "status", "--directory", str(tmp_path)])

    assert code == 78
    assert "sanctuaire keys init" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["rotate", "retire", "announce", "log"])
def test_names_are_changed_by_no_command_without_a_cluster_and_the_keyring_stays_as_it_was(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)
    main(["keys", "init", "--directory", str(tmp_path)])
    sealed = (tmp_path / "keyring.sealed").read_bytes()
    capsys.readouterr()

    code = main(["keys", command, *([] if command == "log" else ["--directory", str(tmp_path)])])

    assert code == 69
    assert "KAFKA_BOOTSTRAP" in capsys.readouterr().err
    assert (tmp_path / "keyring.sealed").read_bytes() == sealed


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param([], id="neither"),
        pytest.param(["--request", "r", "--confirm", "r"], id="both"),
        pytest.param(["--request", "r"], id="without a reference"),
    ],
)
def test_a_root_is_destroyed_by_a_request_or_its_confirmation_and_by_nothing_else(flags: list[str]) -> None:
    assert main(["keys", "destroy", "1", "--key", "k", *flags]) == 2


def test_who_is_behind_a_name_is_asked_by_a_request_or_its_confirmation_and_by_nothing_else() -> None:
    assert main(["reidentify", "gar", "a" * 32, "--key", "k"]) == 2


def test_names_are_told_by_nobody_who_has_no_keyring(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SANCTUAIRE_KEYRING_FILE", raising=False)

    code = main(["pseudonyms-of", "999000001AB"])

    assert code == 78
    assert "--keys" in capsys.readouterr().err


def test_keys_are_made_without_a_cluster_and_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)

    code = main(["keys", "init", "--directory", str(tmp_path)])

    assert code == 0
    assert "not on record" in capsys.readouterr().err
