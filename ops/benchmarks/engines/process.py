"""A peer as a process under the broker's guardian: it ends with the benchmark, `kill -9` of that included."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.broker.process import GuardedProcess
from services.contract.errors import Unreachable

GRACE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class PeerProcess:
    """One running peer, and where its output goes."""

    _process: GuardedProcess
    _log: Path

    @property
    def pids(self) -> Sequence[int]:
        return (self._process.pid,)

    def check(self) -> None:
        if self._process.ended():
            raise Unreachable(f"{self._log.parent.name} ended by itself; see {self._log}")


@contextmanager
def running(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[PeerProcess]:
    """Start a command with its log in `folder`; end it, by force after the grace."""
    log = folder / "log"
    own = [f"{name}={value}" for name, value in environment.items()]
    process = GuardedProcess(("/usr/bin/env", *own, *command), log, None)
    try:
        yield PeerProcess(process, log)
    finally:
        process.stop(GRACE_SECONDS)
