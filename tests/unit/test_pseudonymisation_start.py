"""The pseudonymiser starts with a good key-encryption key or not at all, and says which command makes one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ops.keys import KeyFiles, init
from services.contract.errors import Unusable
from services.pseudonymisation.__main__ import build
from services.runtime.policies import PolicyBook
from services.runtime.settings import load_settings

KEYRING, KEK = "SANCTUAIRE_KEYRING_FILE", "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE"
RECIPE = "`sanctuaire keys init`"
EX_CONFIG = 78


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KeyFiles:
    made = KeyFiles.within(tmp_path / "keys")
    init(tmp_path / "keys", "FR", os.urandom)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "nowhere.example.test:9092")
    monkeypatch.setenv(KEYRING, str(made.keyring))
    monkeypatch.setenv(KEK, str(made.kek))
    return made


def refusal() -> str:
    with pytest.raises(Unusable) as refused:
        build(load_settings(), PolicyBook("pseudonymisation"))
    return str(refused.value)


def test_good_keys_are_all_that_it_takes(files: KeyFiles) -> None:
    assert files.kek.exists()
    assert build(load_settings(), PolicyBook("pseudonymisation")).stage == "pseudonymisation"


@pytest.mark.parametrize("variable", [KEYRING, KEK])
@pytest.mark.parametrize("path", [None, "nowhere"], ids=["no variable", "no file"])
@pytest.mark.usefixtures("files")
def test_without_a_key_it_does_not_start_and_says_what_makes_one(
    monkeypatch: pytest.MonkeyPatch, variable: str, path: str | None
) -> None:
    monkeypatch.delenv(variable)
    if path:
        monkeypatch.setenv(variable, path)

    assert RECIPE in refusal()


@pytest.mark.parametrize(
    "weak",
    [
        pytest.param(b"", id="empty"),
        pytest.param(bytes(32), id="nothing but zeros"),
        pytest.param(bytes(range(32)), id="a sequence"),
        pytest.param(b"correct horse battery staple !?1", id="a passphrase"),
        pytest.param(bytes(range(0, 256, 16)), id="sixteen octets"),
    ],
)
def test_with_a_weak_key_it_does_not_start_and_says_what_makes_a_good_one(files: KeyFiles, weak: bytes) -> None:
    files.kek.write_bytes(weak)
    said = refusal()

    assert said.startswith("key-encryption key: ")
    assert RECIPE in said


def test_key_that_others_may_read_is_refused_with_the_command_that_mends_it(files: KeyFiles) -> None:
    files.kek.chmod(0o644)

    assert refusal() == f"{KEK}: others than its owner may read that file; chmod 600 it"


def test_process_ends_with_one_line_and_a_status_of_its_own(files: KeyFiles, tmp_path: Path) -> None:
    files.kek.write_bytes(bytes(32))
    environment = {**os.environ, "SANCTUAIRE_WORK_FOLDER": str(tmp_path / "work")}
    ended = subprocess.run(
        [sys.executable, "-m", "services.pseudonymisation"],
        env=environment, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert ended.returncode == EX_CONFIG
    assert ended.stderr.splitlines()[-1] == (
        "pseudonymisation: weak-key: key-encryption key: too few distinct octets; make a good one with " + RECIPE
    )
    assert "Traceback" not in ended.stderr
