"""One command under the guardian: start it, signal it, end it. Knows nothing of Kafka."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from ops.broker import guardian
from ops.broker.errors import BrokerError

# They would change the virtual machine behind the back of whoever chose its options.
_FOREIGN = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH")


def java_environment() -> dict[str, str]:
    """This process's environment without what would alter a Java child."""
    return {key: value for key, value in os.environ.items() if key not in _FOREIGN}


class GuardedProcess:
    """A command that runs in a session of its own and cannot outlive this process."""

    def __init__(self, command: Sequence[str], log_path: Path, scratch: Path | None) -> None:
        """Start at once; `scratch` is removed by the guardian should this process die first."""
        arguments = (str(os.getpid()), str(log_path), "" if scratch is None else str(scratch))
        with log_path.open("ab") as sink:
            self._guardian = subprocess.Popen(
                (sys.executable, "-I", "-S", guardian.__file__, *arguments, *command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
                env=java_environment(),
                start_new_session=True,
            )
        with self._stream(self._guardian.stdout) as answer:
            line = answer.readline()
        if not line:
            self.stop()
            raise BrokerError(f"the broker's process could not be started; see {log_path}")
        self.pid = int(line)

    def ended(self) -> bool:
        return self._guardian.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """To the whole group, unless it has ended.

        Raises:
            BrokerError: it has ended.
        """
        if self.ended():
            raise BrokerError("the broker's process has ended already")
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            raise BrokerError("the broker's process has ended already") from None

    def kill(self) -> None:
        """As `kill -9`, and wait until it is gone."""
        self.signal(signal.SIGKILL)
        self._guardian.wait()
        self.stop()

    def stop(self, grace_seconds: float = guardian.GRACE_SECONDS) -> None:
        """Ask it to end, kill it after `grace_seconds`; harmless when it has ended."""
        lifeline = self._stream(self._guardian.stdin)
        try:
            with lifeline:
                if not lifeline.closed:
                    lifeline.write(f"{grace_seconds}\n".encode())
        except (BrokenPipeError, ValueError):
            pass
        self._guardian.wait()

    @staticmethod
    def _stream(stream: "IO[bytes] | None") -> "IO[bytes]":
        if stream is None:
            raise BrokerError("the guardian was started without its pipes")
        return stream
