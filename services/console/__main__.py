"""`python -m services.console`: the operators' page as a process; refuses to start without an account."""

import asyncio
import contextlib
import logging
import secrets
import signal
import socket
import sys
import time
from collections.abc import Generator

import uvicorn

from services.console.account_file import AccountFile
from services.console.api import Ports, create_api
from services.console.board import Board
from services.console.gate import Gate
from services.console.history import History
from services.console.model import Model
from services.console.reading import Reading
from services.console.vital_signs import VitalSigns
from services.contract.errors import Unusable, WrongSettings
from services.runtime import journal
from services.runtime.health import serve
from services.runtime.policies import PolicyBook, PolicyReader
from services.runtime.settings import Settings, load_settings
from services.runtime.watchdog import watch

STAGE = "console"
EX_SOFTWARE = 70
EX_CONFIG = 78
GRACE_SECONDS = 1
CONNECTIONS = 128
HISTORY = "console.sqlite"


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
    at = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        at.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        at.bind((host.strip("[]"), int(port)))
        at.listen(CONNECTIONS)
    except (OSError, OverflowError):
        at.close()
        message = "SANCTUAIRE_CONSOLE_ADDRESS: that address cannot be listened on; is the port taken?"
        raise WrongSettings(message) from None
    return at


def tell_of_defect(error: BaseException) -> None:
    journal.emit(journal.FAILED, stage=STAGE, kind=type(error).__name__, where=journal.where(error))


async def run(settings: Settings, account: AccountFile, signs: VitalSigns, at: socket.socket, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what was counted is on disk then."""
    model, book = Model(), PolicyBook(STAGE)
    policies = PolicyReader(book, settings)
    history = History(settings.work_folder / HISTORY)
    reading = Reading(settings.kafka_bootstrap, model, history, book, settings.console_look_seconds)
    board = Board(model, secrets.token_urlsafe(6))
    signs.answered, signs.policies_read = lambda: reading.answered, policies.caught_up.is_set
    api = create_api(Ports(model, board, Gate(account.current), time.time, tell_of_defect))
    # No access log: what an operator looks at is nobody's business.
    config = uvicorn.Config(
        api, http="h11", log_config=None, access_log=False, server_header=False, lifespan="off", ws="none",
        limit_concurrency=CONNECTIONS, timeout_graceful_shutdown=GRACE_SECONDS,
    )  # fmt: skip
    keeping = [
        asyncio.create_task(work)
        for work in (policies.run(), reading.run(), signs.keep(settings.work_folder, port, board))
    ]
    serving = asyncio.create_task(_Server(config).serve([at]))
    await asyncio.wait([serving, *keeping], return_when=asyncio.FIRST_COMPLETED)
    ended = next((task for task in keeping if task.done()), serving)
    for task in keeping:
        task.cancel()
    await asyncio.wait(keeping)
    reading.write()
    history.close()
    ended.result()


def main() -> None:
    journal.open_journal()
    # Of a broker that is away it says ten lines a second; the vital signs say it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        settings = load_settings()
        account = AccountFile(settings.operator_file)
        signs = VitalSigns(settings.silent_seconds)
        at = listen(settings.console_address)
        port = serve(signs, settings.health_address)
    except Unusable as error:
        sys.stderr.write(f"{STAGE}: {error.code}: {error}\n")
        sys.exit(EX_CONFIG)
    journal.emit(journal.STARTED, stage=STAGE)
    watch(STAGE, signs.pulse, settings.silent_seconds)
    try:
        asyncio.run(run(settings, account, signs, at, port))
    except Exception as error:  # noqa: BLE001  # a traceback could quote a value
        tell_of_defect(error)
        sys.exit(EX_SOFTWARE)
    journal.emit(journal.STOPPED, stage=STAGE)


if __name__ == "__main__":
    main()
