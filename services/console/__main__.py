"""`python -m services.console`: the operators' page as a process; refuses to start without an account."""

import secrets
import socket
import time
from functools import partial

from services.console.account_file import AccountFile
from services.console.api import Ports, create_api
from services.console.board import Board
from services.console.gate import Gate
from services.console.history import History
from services.console.model import Model
from services.console.reading import Reading
from services.console.vital_signs import VitalSigns
from services.runtime.policies import PolicyBook, PolicyReader
from services.runtime.serving import Prepared, listen, main, serve_beside, tell_of_defect
from services.runtime.settings import Settings

SERVICE = "console"
GRACE_SECONDS = 1
CONNECTIONS = 128
HISTORY = "console.sqlite"


def prepare(settings: Settings) -> Prepared:
    """Raise WrongSettings where it cannot start."""
    account = AccountFile(settings.operator_file)
    signs = VitalSigns(settings.silent_seconds)
    at = listen(settings.console_address, "SANCTUAIRE_CONSOLE_ADDRESS")
    return Prepared(signs, partial(run, settings, account, signs, at))


async def run(settings: Settings, account: AccountFile, signs: VitalSigns, at: socket.socket, port: int) -> None:
    """Serve until SIGTERM or SIGINT; what was counted is on disk then."""
    model, book = Model(), PolicyBook(SERVICE)
    policies = PolicyReader(book, settings)
    history = History(settings.work_folder / HISTORY)
    reading = Reading(settings.kafka_bootstrap, model, history, book, settings.console_look_seconds)
    board = Board(model, secrets.token_urlsafe(6))
    signs.answered, signs.policies_read = lambda: reading.answered, policies.caught_up.is_set
    api = create_api(Ports(model, board, Gate(account.current), time.time, partial(tell_of_defect, SERVICE)))
    keeping = (policies.run(), reading.run(), signs.keep(settings.work_folder, port, board))
    try:
        await serve_beside(keeping, api, at, connections=CONNECTIONS, grace_seconds=GRACE_SECONDS)
    finally:
        reading.write()
        history.close()


if __name__ == "__main__":
    main(SERVICE, prepare)
