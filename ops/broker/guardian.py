"""Runs one command and ends it with its parent, however the parent ends, `kill -9` included.

A small process of its own between the parent and the broker: `PR_SET_PDEATHSIG` alone would follow the *thread* that
started the broker, a pipe follows the process. Imports the standard library only, so it is run by path and starts fast.

Standard input is the lifeline. A line `N` from the parent: end the command within N seconds, keep its folder. End of
file without it, or another parent: the parent died, so the scratch folder goes too. Standard output gets the pid.
What the command says goes through this process into its log, which is put aside each time it is full.
"""

import ctypes
import itertools
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_SECONDS = 10.0
# Somebody may have forked the parent and hold the pipe open: so the parent's pid is looked at as well.
LOOK_SECONDS = 1.0
END_LOOK_SECONDS = 0.05
PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
LOG_BYTES = 16 * 1024 * 1024
OLDER_LOGS = 3
READ_BYTES = 64 * 1024


class Log:
    """What a command says, whole lines a file, appended to what was there; a full disk loses it and ends nobody."""

    def __init__(self, path: Path, max_bytes: int = LOG_BYTES) -> None:
        self._path = path
        self._max_bytes = max_bytes
        self._file = path.open("ab", buffering=0)
        self._size = self._file.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, said: bytes) -> None:
        if self._size + len(said) > self._max_bytes:
            end = said.find(b"\n") + 1
            # A line that goes on through a second log's length is cut.
            if end or self._size > 2 * self._max_bytes:
                self._append(said[:end])
                said = said[end:]
                with suppress(OSError):
                    put_aside(self._path)
                    full, self._file, self._size = self._file, self._path.open("ab", buffering=0), 0
                    full.close()
        self._append(said)

    def _append(self, said: bytes) -> None:
        self._size += len(said)
        with suppress(OSError):
            while said:
                said = said[self._file.write(said) :]


def put_aside(log: Path) -> None:
    """Make way for a new log: `log.jsonl` becomes `log.1.jsonl`, that one `log.2.jsonl`, and the oldest goes."""
    kept = [log, *(older(log, number) for number in range(1, OLDER_LOGS + 1))]
    for newer, path in reversed(list(itertools.pairwise(kept))):
        with suppress(FileNotFoundError):
            newer.replace(path)


def older(log: Path, number: int) -> Path:
    return log.with_suffix(f".{number}{log.suffix}")


def main(parent: int, log: Path, scratch: Path | None, command: list[str]) -> int:
    """Guard `command` until it or the parent ends; its exit status, 128 + signal if it was killed."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    child = _spawn(command)
    print(child.pid, flush=True)
    os.close(sys.stdout.fileno())
    with Log(log) as said:
        guard = _Guard(child, said)
        asked = guard.await_end(parent, woken)
        guard.end((GRACE_SECONDS if scratch is None else 0.0) if asked is None else asked)
    if asked is None and scratch is not None:
        shutil.rmtree(scratch, ignore_errors=True)
    return child.returncode if child.returncode >= 0 else 128 - child.returncode


def _spawn(command: list[str]) -> "subprocess.Popen[bytes]":
    """In a session of its own, so that a Ctrl-C at the terminal reaches the services, not the broker."""
    die_with_us = _parent_death_signal()
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
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


class _Guard:
    """Takes what a command says to its log until it has ended."""

    def __init__(self, child: "subprocess.Popen[bytes]", log: Log) -> None:
        self._child = child
        self._log = log
        self._said = child.stdout.fileno() if child.stdout else -1
        os.set_blocking(self._said, False)

    def await_end(self, parent: int, woken: int) -> float | None:
        """The seconds of grace the parent asked for, or None if it died; 0 if the command ended by itself."""
        lifeline = sys.stdin.fileno()
        while self._child.poll() is None:
            ready = self._listen([lifeline, woken], LOOK_SECONDS)
            if woken in ready:
                os.read(woken, 512)
            if lifeline in ready:
                line = os.read(lifeline, 64)
                return float(line) if line else None
            if os.getppid() != parent:
                return None
        return 0.0

    def end(self, grace: float) -> None:
        """Ask, wait, then kill the whole group; a paused command is woken so that it can hear."""
        if self._child.poll() is None and grace > 0:
            os.killpg(self._child.pid, signal.SIGTERM)
            os.killpg(self._child.pid, signal.SIGCONT)
            deadline = time.monotonic() + grace
            while self._child.poll() is None and time.monotonic() < deadline:
                self._listen([], END_LOOK_SECONDS)
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()
        while self._take():
            pass

    def _listen(self, others: list[int], seconds: float) -> list[int]:
        """Wait for the command to say something, or for one of the others; which of these are ready."""
        said = [] if self._said < 0 else [self._said]
        ready, _, _ = select.select([*said, *others], [], [], seconds)
        if self._said in ready:
            self._take()
        return ready

    def _take(self) -> bool:
        """Take over some of what was said; false where there is nothing more now."""
        try:
            said = os.read(self._said, READ_BYTES) if self._said >= 0 else b""
        except BlockingIOError:
            return False
        if not said:
            self._said = -1  # it has closed it, and may run on
        self._log.write(said)
        return bool(said)


if __name__ == "__main__":
    _, pid, log_name, scratch_name, *rest = sys.argv
    sys.exit(main(int(pid), Path(log_name), Path(scratch_name) if scratch_name else None, rest))
