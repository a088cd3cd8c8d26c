"""`python -m services.ingress`: what platforms post to, as a process; refuses to start without a register."""

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Generator
from datetime import UTC, datetime

import uvicorn

from services.contract.errors import Unusable, WrongSettings
from services.ingress.api import Ports, create_api
from services.ingress.delivery import Delivery
from services.ingress.directory import Directory
from services.ingress.events import decision_event
from services.ingress.measures import posted
from services.ingress.register_file import RegisterFile
from services.ingress.standing import Standing
from services.runtime import journal
from services.runtime.health import serve
from services.runtime.settings import Settings, load_settings
from services.runtime.watchdog import watch

STAGE = "ingress"
EX_SOFTWARE = 70
EX_CONFIG = 78
GRACE_SECONDS = 10
CONNECTIONS = 256
BACKLOG = 128


class _Server(uvicorn.Server):
    """Ends when it is asked to, and with exit code 0: uvicorn's own handlers raise the signal again afterwards."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def listen(address: str) -> socket.socket:
    """Raise WrongSettings where it cannot be listened on."""
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
        message = "SANCTUAIRE_INGRESS_ADDRESS: that address cannot be listened on; is the port taken?"
        raise WrongSettings(message) from None
    return at


def tell_of_defect(error: BaseException) -> None:
    journal.emit(journal.FAILED, stage=STAGE, kind=type(error).__name__, where=journal.where(error))


async def run(settings: Settings, register: RegisterFile, standing: Standing, at: socket.socket, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests under way end first, then what keeps them going."""
    delivery = Delivery(settings.kafka_bootstrap)
    directory = Directory(settings.kafka_bootstrap, delivery)
    standing.kafka_silent = delivery.silent
    api = create_api(
        Ports(
            register=register.current,
            now=lambda: datetime.now(UTC),
            publish_decisions=lambda decisions: delivery.deliver([decision_event(one) for one in decisions]),
            publish_changes=directory.publish,
            count=posted,
            defect=tell_of_defect,
        )
    )
    # No access log: a path and an address are nobody's business. What its libraries warn of, the journal tells.
    config = uvicorn.Config(
        api, http="h11", log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        limit_concurrency=CONNECTIONS, timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip
    keeping = [
        asyncio.create_task(work)
        for work in (delivery.keep(), directory.follow(), standing.keep(settings.work_folder, port))
    ]
    serving = asyncio.create_task(_Server(config).serve([at]))
    await asyncio.wait([serving, *keeping], return_when=asyncio.FIRST_COMPLETED)
    ended = next((task for task in keeping if task.done()), serving)
    for task in keeping:
        task.cancel()
    await asyncio.wait(keeping)
    ended.result()


def main() -> None:
    journal.open_journal()
    # Of a broker that is away it says ten lines a second; `standing` says it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        settings = load_settings()
        register = RegisterFile(settings.platforms_file)
        standing = Standing(register, settings.silent_seconds)
        at = listen(settings.ingress_address)
        port = serve(standing, settings.health_address)
    except Unusable as error:
        sys.stderr.write(f"{STAGE}: {error.code}: {error}\n")
        sys.exit(EX_CONFIG)
    journal.emit(journal.STARTED, stage=STAGE)
    watch(STAGE, standing.pulse, settings.silent_seconds)
    try:
        asyncio.run(run(settings, register, standing, at, port))
    except Exception as error:  # noqa: BLE001  # a traceback could quote a value
        tell_of_defect(error)
        sys.exit(EX_SOFTWARE)
    journal.emit(journal.STOPPED, stage=STAGE)


if __name__ == "__main__":
    main()
