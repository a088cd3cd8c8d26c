import json
from pathlib import Path

import pytest

from ops.cli import main
from ops.cli.settings import PREFIX, VARIABLES, check_settings
from services.runtime.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def remedies(environment: dict[str, str]) -> dict[str, str]:
    return {finding.what: finding.remedy for finding in check_settings(environment) if not finding.ok}


def test_every_setting_of_the_services_is_looked_at() -> None:
    read = {field.alias or f"{PREFIX}{name.upper()}" for name, field in Settings.model_fields.items()}

    assert set(VARIABLES) == read


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        pytest.param("BATCH_RECORDS", "2000", None, id="a number"),
        pytest.param("BATCH_RECORDS", "0", "give a whole number from 1 to 20000", id="too few"),
        pytest.param("BATCH_RECORDS", "20001", "give a whole number from 1 to 20000", id="too many"),
        pytest.param("BATCH_RECORDS", "CANARY", "give a whole number from 1 to 20000", id="no number"),
        pytest.param("SESSION_TIMEOUT_SECONDS", "7.5", None, id="seconds"),
        pytest.param("SESSION_TIMEOUT_SECONDS", "0", "give a number over 0", id="no time at all"),
        pytest.param("BATCH_RECORD", "5", "no service reads it; correct its name or unset it", id="a slip in the name"),
    ],
)
def test_what_cannot_work_is_said_with_its_remedy(name: str, value: str, remedy: str | None) -> None:
    found = remedies({f"{PREFIX}{name}": value})

    assert found.get(f"{PREFIX}{name}") == remedy


def test_a_key_file_that_others_may_read_is_wrong(tmp_path: Path) -> None:
    key = tmp_path / "keyring.kek"
    key.write_bytes(b"x")
    key.chmod(0o644)

    found = remedies({f"{PREFIX}KEY_ENCRYPTION_KEY_FILE": str(key)})

    assert found[f"{PREFIX}KEY_ENCRYPTION_KEY_FILE"].endswith("chmod 600")


def check(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, str]]:
    code = main(["config", "check", "--json", *options])
    shown = json.loads(capsys.readouterr().out)
    return code, {finding["what"]: finding["state"] for finding in shown["findings"] if not finding["ok"]}


def test_nothing_set_exits_78(capsys: pytest.CaptureFixture[str]) -> None:
    actual = check(capsys)

    assert actual == (
        78,
        {
            "SANCTUAIRE_KEYRING_FILE": "not set",
            "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE": "not set",
            "KAFKA_BOOTSTRAP": "not set",
        },
    )


def with_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    main(["keys", "init", "--directory", str(tmp_path)])
    for line in capsys.readouterr().out.splitlines():
        monkeypatch.setenv(*line.split("=", 1))


def test_a_cluster_that_does_not_answer_exits_69(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(tmp_path, capsys, monkeypatch)

    actual = check(capsys, "--bootstrap", "127.0.0.1:1")

    assert actual == (69, {"cluster": "no answer"})


def test_keys_that_do_not_belong_together_are_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with_keys(tmp_path / "one", capsys, monkeypatch)
    other = tmp_path / "two"
    main(["keys", "init", "--directory", str(other)])
    capsys.readouterr()
    monkeypatch.setenv(f"{PREFIX}KEYRING_FILE", str(other / "keyring.sealed"))

    code, wrong = check(capsys)

    assert (code, wrong["keyring"]) == (78, "wrong")


def test_people_are_shown_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["config", "check"])

    assert code == 78
    assert "set it to host:port" in capsys.readouterr().out
