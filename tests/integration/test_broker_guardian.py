import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ops.broker.errors import BrokerError
from ops.broker.process import GuardedProcess
from tests.integration.processes import is_alive

ROOT = Path(__file__).parents[2]
FOREVER = ("sleep", "600")
DEAF = (
    sys.executable,
    "-c",
    "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()",
)
PARENT = """
import os, sys
from pathlib import Path
from ops.broker.process import GuardedProcess
log, scratch = Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2] else None
guarded = GuardedProcess(("sleep", "600"), log, scratch)
if sys.argv[3] == "fork" and os.fork() == 0:
    sys.stdin.read()
print(guarded.pid, flush=True)
sys.stdin.read()
"""


def wait_for(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return condition()


def start_parent(log: Path, scratch: Path | None, manner: str) -> tuple["subprocess.Popen[str]", int]:
    command = (sys.executable, "-c", PARENT, str(log), str(scratch or ""), manner)
    parent = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    return parent, int(parent.stdout.readline())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("manner", ["alone", "fork"], ids=["", "while a fork holds the pipe"])
def test_command_ends_with_its_parent(tmp_path: Path, number: signal.Signals, manner: str) -> None:
    parent, pid = start_parent(tmp_path / "log", None, manner)
    with parent:
        parent.send_signal(number)
        parent.wait()

        assert wait_for(lambda: not is_alive(pid))


@pytest.mark.parametrize("kept", [False, True], ids=["temporary", "kept"])
def test_temporary_folder_goes_with_a_killed_parent_and_a_kept_one_stays(tmp_path: Path, *, kept: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    parent, pid = start_parent(tmp_path / "log", None if kept else folder, "alone")
    with parent:
        parent.kill()
        parent.wait()

        assert wait_for(lambda: not is_alive(pid))
        assert wait_for(lambda: folder.exists() == kept)


def test_command_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    started: list[GuardedProcess] = []
    thread = threading.Thread(target=lambda: started.append(GuardedProcess(FOREVER, tmp_path / "log", None)))
    thread.start()
    thread.join()

    assert not wait_for(started[0].ended, 0.3)
    started[0].stop()
    assert not is_alive(started[0].pid)


def test_command_is_out_of_reach_of_the_terminals_interrupt(tmp_path: Path) -> None:
    guarded = GuardedProcess(FOREVER, tmp_path / "log", None)

    assert os.getsid(guarded.pid) == guarded.pid
    guarded.stop()


def test_command_dies_when_its_guardian_is_killed(tmp_path: Path) -> None:
    guarded = GuardedProcess(FOREVER, tmp_path / "log", None)
    os.kill(guarded._guardian.pid, signal.SIGKILL)

    assert wait_for(lambda: not is_alive(guarded.pid))
    guarded.stop()


def test_command_that_does_not_listen_is_killed_after_the_grace(tmp_path: Path) -> None:
    log = tmp_path / "log"
    guarded = GuardedProcess(DEAF, log, None)
    assert wait_for(lambda: log.read_text("utf-8") == "deaf\n")
    guarded.stop(grace_seconds=0.1)

    assert not is_alive(guarded.pid)


def test_paused_command_can_be_stopped(tmp_path: Path) -> None:
    guarded = GuardedProcess(FOREVER, tmp_path / "log", None)
    guarded.signal(signal.SIGSTOP)
    guarded.stop(grace_seconds=60.0)

    assert not is_alive(guarded.pid)


def test_stop_is_harmless_when_repeated_or_after_the_end(tmp_path: Path) -> None:
    guarded = GuardedProcess(("true",), tmp_path / "log", None)
    assert wait_for(guarded.ended)
    guarded.stop()
    guarded.stop()

    with pytest.raises(BrokerError, match="has ended already"):
        guarded.kill()


def test_missing_program_is_an_error_that_names_the_log(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match="could not be started; see "):
        GuardedProcess(("no-such-program",), tmp_path / "log", None)


def test_foreign_java_options_do_not_reach_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("JAVA_TOOL_OPTIONS", "-Xmx1m")
    guarded = GuardedProcess(("env",), log, None)
    assert wait_for(guarded.ended)
    guarded.stop()

    assert "PATH=" in log.read_text("utf-8")
    assert "JAVA_TOOL_OPTIONS" not in log.read_text("utf-8")
