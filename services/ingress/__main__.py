"""`python -m services.ingress`: what platforms post to, as a process; refuses to start without a register."""

import socket
from datetime import UTC, datetime
from functools import partial

from services.ingress.api import Ports, create_api
from services.ingress.delivery import Delivery
from services.ingress.directory import Directory
from services.ingress.events import decision_event
from services.ingress.measures import posted
from services.ingress.register_file import RegisterFile
from services.ingress.standing import Standing
from services.runtime.serving import Prepared, listen, main, serve_beside, tell_of_defect
from services.runtime.settings import Settings

SERVICE = "ingress"
GRACE_SECONDS = 10
CONNECTIONS = 256


def prepare(settings: Settings) -> Prepared:
    """Raise WrongSettings where it cannot start."""
    register = RegisterFile(settings.platforms_file)
    standing = Standing(register, settings.silent_seconds)
    at = listen(settings.ingress_address, "SANCTUAIRE_INGRESS_ADDRESS")
    return Prepared(standing, partial(run, settings, register, standing, at))


async def run(settings: Settings, register: RegisterFile, standing: Standing, at: socket.socket, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests under way end first, then what keeps them going."""
    delivery = Delivery(settings.kafka_bootstrap)
    directory = Directory(settings.kafka_bootstrap, delivery)
    standing.kafka_silent = delivery.silent
    api = create_api(
        Ports(
            register=register.current,
            now=lambda: datetime.now(UTC),
            addressed=directory.addressed,
            publish_decisions=lambda decisions: delivery.deliver([decision_event(one) for one in decisions]),
            publish_changes=directory.publish,
            count=posted,
            defect=partial(tell_of_defect, SERVICE),
        )
    )
    keeping = (delivery.keep(), directory.follow(), standing.keep(settings.work_folder, port))
    await serve_beside(keeping, api, at, connections=CONNECTIONS, grace_seconds=GRACE_SECONDS)


if __name__ == "__main__":
    main(SERVICE, prepare)
