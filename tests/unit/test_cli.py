import json
import os
import subprocess
import sys

import pytest

from ops.cli import main
from ops.cli.failures import exit_code_of, message_of
from services.contract.errors import (
    AmbiguousPolicy,
    NoKey,
    NotAnIdentifier,
    NotSigned,
    NotThisSchema,
    NotThisSet,
    SanctuaireError,
    Unreachable,
    WrongSettings,
)

COMMANDS = [
    ("convert", "aaf"),
    ("publish", "aaf"),
    ("publish", "consents"),
    ("ingress", "token"),
    ("ingress", "revoke"),
    ("ingress", "platforms"),
    ("consent", "receipt"),
    ("decide",),
    ("explain",),
    ("simulate",),
    ("pseudonym",),
    ("keys", "init"),
    ("keys", "status"),
    ("policy", "check"),
    ("policy", "apply"),
    ("policy", "keygen"),
    ("policy", "sign"),
    ("policy", "diff"),
    ("policy", "pending"),
    ("policy", "approve"),
    ("policy", "refuse"),
    ("policy", "log"),
    ("topics", "apply"),
    ("config", "check"),
    ("synthesise",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_an_example_and_the_exit_codes(command: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    code = main([*command, "--help"])

    shown = capsys.readouterr().out

    assert code == 0
    assert f"sanctuaire {' '.join(command)}" in shown.split("Example:")[1]
    assert "Exit codes: 0 all done" in shown


def test_the_list_names_every_command_that_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])

    shown = capsys.readouterr().out

    assert {name for name, *_ in COMMANDS} <= set(shown.split())


def test_the_list_is_shown_without_loading_what_the_commands_need() -> None:
    script = "import sys; from ops.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert not {"'kafka'", "'pydantic'", "'cryptography'", "'yaml'"} & set(ran.stderr.strip("[]\n").split(", "))


def test_the_module_is_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "ops.cli", "decide"], input=b"{}", capture_output=True, check=False, env=os.environ
    )

    assert (ran.returncode, json.loads(ran.stdout)["verdict"], ran.stderr) == (0, "hold", b"")


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing-of-the-kind"],
        ["convert", "aaf"],
        ["convert", "aaf", "no-such-folder"],
        ["decide", "--what"],
        ["publish", "consents", "no-such-file"],
        ["consent", "receipt", "no-such-file"],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code = main(arguments)

    assert (code, capsys.readouterr().out) == (2, "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(NotThisSchema(), 65, id="not this schema"),
        pytest.param(AmbiguousPolicy(), 65, id="ambiguous policy"),
        pytest.param(NotAnIdentifier(), 65, id="not an identifier"),
        pytest.param(NotSigned(), 65, id="not signed"),
        pytest.param(NotThisSet(), 65, id="not this set"),
        pytest.param(Unreachable(), 69, id="no cluster"),
        pytest.param(WrongSettings(), 78, id="settings"),
        pytest.param(NoKey(), 78, id="no key"),
        pytest.param(SanctuaireError(), 70, id="of no known kind"),
        pytest.param(ZeroDivisionError(), 70, id="defect"),
    ],
)
def test_each_kind_of_error_has_its_exit_code(error: Exception, code: int) -> None:
    actual = exit_code_of(error)

    assert actual == code


def test_a_defect_is_told_by_its_place_and_never_by_its_value() -> None:
    with pytest.raises(ValueError, match="CANARY") as defect:
        int("CANARY")

    line = message_of(defect.value)

    assert line.startswith("sanctuaire: a defect, ValueError at test_cli.py:")
    assert "CANARY" not in line
    assert "\n" not in line


def test_an_error_of_several_lines_becomes_one() -> None:
    line = message_of(WrongSettings("first\n  second"))

    assert line == "sanctuaire: first second"


@pytest.mark.parametrize(
    "command",
    [
        ["topics", "apply"],
        ["policy", "pending"],
        ["publish", "aaf", "tests/data/aaf"],
        ["publish", "consents", "-"],
        ["consent", "receipt", "--subject", "999000001AB"],
        ["explain", "999000001AB", "gar"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_without_a_cluster_one_line_says_what_to_set(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP", raising=False)

    code = main(command)
    said = capsys.readouterr()

    assert code == 69
    assert said.out == ""
    assert said.err == "sanctuaire: no Kafka cluster is named; set KAFKA_BOOTSTRAP or give --bootstrap host:port\n"
