"""`sanctuaire up`: a whole installation on this machine, which stays until Ctrl-C and comes back as it was."""

import re
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from ops import operators
from ops.broker.embedded import EmbeddedBroker
from ops.broker.existing import bootstrap_or_embedded
from ops.broker.ports import free_port_at_best, free_ports
from ops.installation import STAGES, Installation, install
from ops.policy_files import POLICIES_FOLDER
from ops.supervisor import Service, Supervisor
from ops.synthetic_stream import SyntheticStream
from services.contract.topology import PROVIDER_DIRECTORY, SUBJECT_PARTITIONS, named_for

HEALTH_ADDRESS = "SANCTUAIRE_HEALTH_ADDRESS"
CONSOLE_PORT = 8071
MAX_WORKERS = 64
READY_SECONDS = 90.0
LOOK_SECONDS = 0.2


def up(  # noqa: PLR0917  # one each option
    folder: Annotated[Path, typer.Option(help="Where broker, keys and logs are kept between two runs.")] = Path("run"),
    policies: Annotated[Path, typer.Option(help="Folder of perimeter.yaml and one file a provider.")] = POLICIES_FOLDER,
    partitions: Annotated[int, typer.Option(min=1, help="Of the topics that are keyed by a subject.")] = (
        SUBJECT_PARTITIONS
    ),
    workers: Annotated[
        list[str] | None,
        typer.Option(metavar="STAGE=N", help="Processes of filtering, pseudonymisation or connectors."),
    ] = None,
    ingress_port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Where platforms post to, on this machine only; 0 is any free one.")
    ] = 0,
    console_port: Annotated[
        int,
        typer.Option(min=0, max=65_535, help="Where the operators' page is; 0 is 8071, or any one if that is taken."),
    ] = 0,
    synthetic: Annotated[
        float | None,
        typer.Option(metavar="RATE", min=0.01, max=50, help="Invented people: so many happenings a second, for show."),
    ] = None,
) -> None:
    """Start Kafka (or use KAFKA_BOOTSTRAP's) and all services; stay until Ctrl-C.

    Examples: sanctuaire up --synthetic 2
              sanctuaire up --workers filtering=2 --workers pseudonymisation=2

    Exit codes: 0 after Ctrl-C, 1 if something could not be started.
    """
    counts = workers_of(workers or ())
    end_in_order_when_asked()
    broker = partial(EmbeddedBroker, data_dir=folder / "kafka", log_to=folder / "kafka.log", progress=count_jars)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with bootstrap_or_embedded(broker) as bootstrap:
            installation = install(bootstrap, folder / "keys", policies, partitions)
            (port,) = (ingress_port,) if ingress_port else free_ports(1)
            ingress = installation.ingress_at(f"127.0.0.1:{port}")
            console = installation.console_at(f"127.0.0.1:{console_port or free_port_at_best(CONSOLE_PORT)}")
            services = _on_ports((ingress, *installation.services_with(counts), console))
            with Supervisor(services=services, folder=folder / "services") as supervisor:
                supervisor.wait_ready(READY_SECONDS, partitions)
                _say_where(installation, supervisor)
                with SyntheticStream(installation, synthetic) if synthetic else nullcontext() as stream:
                    _stay(supervisor, stream)
    except KeyboardInterrupt:
        print("ended; the data are kept", flush=True)


def workers_of(told: Sequence[str]) -> Mapping[str, int]:
    """Stage → processes, from `STAGE=N`.

    Raises:
        BadParameter: no such stage, or no number from 1 to 64.
    """
    counts = {}
    for one in told:
        stage, _, count = one.partition("=")
        if stage not in STAGES or not re.fullmatch(r"[1-9][0-9]?", count) or int(count) > MAX_WORKERS:
            raise typer.BadParameter(
                f"{one}: give one of {', '.join(STAGES)}, =, and a number from 1 to {MAX_WORKERS}",
                param_hint="--workers",
            )
        counts[stage] = int(count)
    return counts


def _on_ports(services: Sequence[Service]) -> tuple[Service, ...]:
    """Their health pages stay where they are when one is started again."""
    return tuple(
        replace(one, environment={**one.environment, HEALTH_ADDRESS: f"127.0.0.1:{port}"})
        for one, port in zip(services, free_ports(len(services)), strict=True)
    )


def _stay(supervisor: Supervisor, stream: SyntheticStream | None) -> None:
    while True:
        supervisor.follow()
        if stream is not None and stream.failed is not None:
            print(f"the synthetic stream has ended: {stream.failed}", file=sys.stderr, flush=True)
            stream = None
        for death in supervisor.revive():
            print(f"{death}; it is started again", file=sys.stderr, flush=True)
        time.sleep(LOOK_SECONDS)


def _say_where(installation: Installation, supervisor: Supervisor) -> None:
    print(f"Kafka        {installation.bootstrap}")
    print(f"keys         {installation.key_files.keyring.parent}")
    print(f"log          {supervisor.log}")
    for service in supervisor.services:
        print(f"{service.name:<20} http://{service.environment[HEALTH_ADDRESS]}/livez /readyz /metrics")
    for provider in installation.providers:
        print(f"{provider:<12} reads {named_for(PROVIDER_DIRECTORY, provider)}")
    ingress = supervisor.services[0].environment["SANCTUAIRE_INGRESS_ADDRESS"]
    print(f"post         http://{ingress}/v1/consents /v1/changes")
    print(f"             who may: sanctuaire ingress token NAME --source SOURCE --file {installation.platforms}")
    print(where_to_look(installation, supervisor.services[-1]))
    print(f"publish      KAFKA_BOOTSTRAP={installation.bootstrap} sanctuaire publish aaf PATH")
    print("Ctrl-C ends it; the data are kept.", flush=True)


def where_to_look(installation: Installation, console: Service) -> str:
    """The page's address, and the account with its password where that was made just now."""
    page, file = console.environment["SANCTUAIRE_CONSOLE_ADDRESS"], installation.operator
    said = (
        f"password {installation.new_password} (said once)"
        if installation.new_password
        else f"password as it was first said; a new one: sanctuaire console password --file {file}"
    )
    return f"console      http://{page}/\n             account {operators.NAME}, {said}"


def count_jars(done: int, total: int) -> None:
    """Say how far the first fetch of Kafka is."""
    if done == total or sys.stderr.isatty():
        print(f"\rApache Kafka: {done} of {total} jars", end="\n" if done == total else "", file=sys.stderr, flush=True)


def end_in_order_when_asked() -> None:
    """Take SIGTERM as Ctrl-C is taken: services first, then the broker."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
