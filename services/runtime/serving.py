"""A service that answers over HTTP as a process: its socket, its server, what it keeps up beside, and how it ends."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Coroutine, Generator, Iterable
from typing import Any, NamedTuple, Protocol

import uvicorn

from services.contract.errors import Unusable, WrongSettings
from services.runtime import journal
from services.runtime.health import Judged, serve
from services.runtime.settings import Settings, load_settings
from services.runtime.watchdog import Pulse, watch

EX_SOFTWARE = 70
EX_CONFIG = 78
BACKLOG = 128


class Signs(Judged, Protocol):
    """By which it is told whether the service lives and is ready."""

    pulse: Pulse


class Prepared(NamedTuple):
    """A service that could start: its settings and files are good, its address is taken."""

    signs: Signs
    run: Callable[[int], Coroutine[Any, Any, None]]
    """Until SIGTERM or SIGINT; given the port of the health pages."""


class _Server(uvicorn.Server):
    """Ends when it is asked to, and with exit code 0: uvicorn's own handlers raise the signal again afterwards."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def listen(address: str, variable: str) -> socket.socket:
    """Raise WrongSettings, naming the setting, where it cannot be listened on."""
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sends without delay only where the protocol is named; `create_server` leaves it out (40 ms an answer).
    at = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        at.bind((host.strip("[]"), int(port)))
        at.listen(BACKLOG)
    except (OSError, OverflowError):
        at.close()
        raise WrongSettings(f"{variable}: that address cannot be listened on; is the port taken?") from None
    return at


async def serve_beside(
    keeping: Iterable[Coroutine[Any, Any, None]], api: Any, at: socket.socket, *, connections: int, grace_seconds: int
) -> None:
    """Serve until SIGTERM or SIGINT, or until something that is kept up ends: requests under way end first."""
    # No access log: a path and an address are nobody's business. What its libraries warn of, the journal tells.
    config = uvicorn.Config(
        api, http="h11", log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        limit_concurrency=connections, timeout_graceful_shutdown=grace_seconds,
    )  # fmt: skip
    kept = [asyncio.create_task(work) for work in keeping]
    serving = asyncio.create_task(_Server(config).serve([at]))
    await asyncio.wait([serving, *kept], return_when=asyncio.FIRST_COMPLETED)
    ended = next((task for task in kept if task.done()), serving)
    for task in kept:
        task.cancel()
    await asyncio.wait(kept)
    ended.result()


def tell_of_defect(service: str, error: BaseException) -> None:
    journal.emit(journal.FAILED, stage=service, kind=type(error).__name__, where=journal.where(error))


def main(service: str, prepare: Callable[[Settings], Prepared]) -> None:
    """Run it; exit 78 with one line where a setting is wrong, 70 for a defect."""
    journal.open_journal()
    # Of a broker that is away it says ten lines a second; the service's signs say it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        settings = load_settings()
        prepared = prepare(settings)
        port = serve(prepared.signs, settings.health_address)
    except Unusable as error:
        sys.stderr.write(f"{service}: {error.code}: {error}\n")
        sys.exit(EX_CONFIG)
    journal.emit(journal.STARTED, stage=service)
    watch(service, prepared.signs.pulse, settings.silent_seconds)
    try:
        asyncio.run(prepared.run(port))
    except Exception as error:  # noqa: BLE001  # a traceback could quote a value
        tell_of_defect(service, error)
        sys.exit(EX_SOFTWARE)
    journal.emit(journal.STOPPED, stage=service)
