"""Whether a stage lives and is ready: three pages on a port of its own, and once a second a file.

`GET /livez`, `GET /readyz` and `GET /metrics` are answered by a thread of its own, even while the event loop is stuck.
`python -m services.runtime.health` asks the file. Exit codes: 0 ready, 1 not ready, silent for more than 15 s, or
never heard of.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from typing import TYPE_CHECKING, Literal, Protocol
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import orjson
from prometheus_client import make_wsgi_app

from services.contract.errors import WrongSettings
from services.runtime import metrics
from services.runtime.settings import load_settings
from services.runtime.watchdog import Pulse, Silence, silence

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

SILENT_SECONDS = 15.0
ANSWER_SECONDS = 30.0
"""A broker that has not answered for so long is not there, as far as readiness goes."""
PATIENCE_SECONDS = 5.0
"""Whoever asks and does not go on is hung up on."""

Unready = Literal["policies-unread", "rebalancing", "partitions-closed"] | Silence


class Judged(Protocol):
    """What the pages ask; each answer is one word, or null where all is well."""

    def unlive(self) -> str | None: ...
    def unready(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a worker has of what it needs."""

    policies_read: bool = False
    joined: bool = False
    """Its group has given it partitions, if only none; false while it gives them out."""
    assigned: frozenset[int] = frozenset()
    opened: frozenset[int] = frozenset()


class Health:
    """Judges a process from its pulse and what it holds. Written by the event loop, read by any thread."""

    def __init__(self, pulse: Pulse, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.pulse = pulse
        self.holdings = Holdings()
        self._limit = limit
        self._clock = clock

    def unlive(self) -> Silence | None:
        return silence(self.pulse.pulses, self._clock(), self._limit)

    def unready(self) -> Unready | None:
        """Why not: null once the policies are read, every assigned partition is open, and the broker answers."""
        if not self.holdings.policies_read:
            return "policies-unread"
        if not self.holdings.joined:
            return "rebalancing"
        if self.holdings.assigned != self.holdings.opened:
            return "partitions-closed"
        return silence(self.pulse.pulses, self._clock(), min(ANSWER_SECONDS, self._limit))


def _page(judged: Judged, environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
    """Answer in one word; there is no other page, and no way to ask for one by a name that goes into an answer."""
    path, method = environ.get("PATH_INFO"), environ.get("REQUEST_METHOD")
    if path not in {"/livez", "/readyz", "/metrics"}:
        return _word(start, "404 Not Found", "not-found")
    if method != "GET":
        return _word(start, "405 Method Not Allowed", "get-only", ("Allow", "GET"))
    if path == "/metrics":
        shown: Iterable[bytes] = _METRICS({**environ, "QUERY_STRING": ""}, start)
        return shown
    code = judged.unlive() if path == "/livez" else judged.unready()
    return _word(start, "503 Service Unavailable", code) if code else _word(start, "200 OK", "ok")


_METRICS = make_wsgi_app(metrics.REGISTRY)


def _word(start: "StartResponse", status: str, word: str, *headers: tuple[str, str]) -> list[bytes]:
    start(status, [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), *headers])
    return [f"{word}\n".encode()]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Without looking the host's name up, which without a name server takes its time."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])
        self.setup_environ()


class _ServerOverIPv6(_Server):
    address_family = socket.AF_INET6


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name in the library
        """Say nothing: a path that somebody asks for is not ours to repeat."""


def serve(judged: Judged, address: str) -> int:
    """Answer on `host:port`, with port 0 on a free one, for as long as the process lives; the port.

    Raises:
        WrongSettings: it cannot be listened on.
    """
    host, _, port = address.rpartition(":")
    server_class = _ServerOverIPv6 if ":" in host else _Server
    try:
        server = server_class((host.strip("[]"), int(port)), _Handler)
    except (OSError, OverflowError):
        message = "SANCTUAIRE_HEALTH_ADDRESS: that address cannot be listened on; is the port taken?"
        raise WrongSettings(message) from None
    server.set_app(partial(_page, judged))
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return server.server_port


def report(folder: Path, *, ready: bool, partitions: int, port: int) -> None:
    """Write the current word, whole or not at all; on a full disk the last one grows old, which says enough."""
    draft = folder / f".health.{os.getpid()}"
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        draft.write_bytes(orjson.dumps({"at": time.time(), "ready": ready, "partitions": partitions, "port": port}))
        draft.replace(folder / "health.json")


def is_ready(folder: Path, now: float) -> bool:
    """Whether the last word is recent and says ready."""
    try:
        word = orjson.loads((folder / "health.json").read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return False
    return bool(word["ready"]) and now - word["at"] <= SILENT_SECONDS


if __name__ == "__main__":
    sys.exit(0 if is_ready(load_settings().work_folder, time.time()) else 1)
