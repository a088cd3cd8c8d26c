"""Runs one command and ends it with its parent, however the parent ends, `kill -9` included.

A small process of its own between the parent and the broker: `PR_SET_PDEATHSIG` alone would follow the *thread* that
started the broker, a pipe follows the process. Imports the standard library only, so it is run by path and starts fast.

Standard input is the lifeline. A line `N` from the parent: end the command within N seconds, keep its folder. End of
file without it, or another parent: the parent died, so the scratch folder goes too. Standard output gets the pid.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_SECONDS = 10.0
# Somebody may have forked the parent and hold the pipe open: so the parent's pid is looked at as well.
LOOK_SECONDS = 1.0
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main(parent: int, log: Path, scratch: Path | None, command: list[str]) -> int:
    """Guard `command` until it or the parent ends; its exit status, 128 + signal if it was killed."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    child = _spawn(command, log)
    print(child.pid, flush=True)
    os.close(sys.stdout.fileno())
    asked = _await_end(child, parent, woken)
    if asked is None:
        _end(child, GRACE_SECONDS if scratch is None else 0.0)
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    else:
        _end(child, asked)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _spawn(command: list[str], log: Path) -> "subprocess.Popen[bytes]":
    """In a session of its own, so that a Ctrl-C at the terminal reaches the services, not the broker."""
    die_with_us = _parent_death_signal()
    with log.open("ab") as sink:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_us,  # noqa: PLW1509 - this process has one thread
        )


def _parent_death_signal() -> "Callable[[], object] | None":
    """What the child calls before exec, so that it does not outlive a guardian that is killed; Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _await_end(child: "subprocess.Popen[bytes]", parent: int, woken: int) -> float | None:
    """The seconds of grace the parent asked for, or None if it died; 0 if the command ended by itself."""
    lifeline = sys.stdin.fileno()
    while child.poll() is None:
        ready, _, _ = select.select([lifeline, woken], [], [], LOOK_SECONDS)
        if woken in ready:
            os.read(woken, 512)
        if lifeline in ready:
            line = os.read(lifeline, 64)
            return float(line) if line else None
        if os.getppid() != parent:
            return None
    return 0.0


def _end(child: "subprocess.Popen[bytes]", grace: float) -> None:
    """Ask, wait, then kill the whole group; a paused command is woken so that it can hear."""
    if child.poll() is not None:
        return
    if grace > 0:
        os.killpg(child.pid, signal.SIGTERM)
        os.killpg(child.pid, signal.SIGCONT)
        try:
            child.wait(grace)
        except subprocess.TimeoutExpired:
            pass
        else:
            return
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


if __name__ == "__main__":
    _, pid, log_name, scratch_name, *rest = sys.argv
    sys.exit(main(int(pid), Path(log_name), Path(scratch_name) if scratch_name else None, rest))
