"""`sanctuaire up`: a whole installation on this machine, which stays until Ctrl-C and comes back as it was."""

import signal
import sys
import time
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from ops.broker.embedded import EmbeddedBroker
from ops.broker.existing import bootstrap_or_embedded
from ops.installation import Installation, install
from ops.policy_files import POLICIES_FOLDER
from ops.supervisor import Supervisor
from services.contract.topology import PROVIDER_DIRECTORY, SUBJECT_PARTITIONS, named_for

READY_SECONDS = 90.0
LOOK_SECONDS = 0.2


def up(
    folder: Annotated[Path, typer.Option(help="Where broker, keys and logs are kept between two runs.")] = Path("run"),
    policies: Annotated[Path, typer.Option(help="Folder of perimeter.yaml and one file a provider.")] = POLICIES_FOLDER,
    partitions: Annotated[int, typer.Option(min=1, help="Of the topics that are keyed by a subject.")] = (
        SUBJECT_PARTITIONS
    ),
) -> None:
    """Start Kafka (or use KAFKA_BOOTSTRAP's) and all services; stay until Ctrl-C.

    Exit codes: 0 after Ctrl-C, 1 if something could not be started.
    """
    end_in_order_when_asked()
    broker = partial(EmbeddedBroker, data_dir=folder / "kafka", log_to=folder / "kafka.log", progress=count_jars)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with bootstrap_or_embedded(broker) as bootstrap:
            installation = install(bootstrap, folder / "keys", policies, partitions)
            with Supervisor(services=installation.services, folder=folder / "services") as supervisor:
                supervisor.wait_ready(READY_SECONDS, partitions)
                _say_where(installation, folder)
                _stay(supervisor)
    except KeyboardInterrupt:
        print("ended; the data are kept", flush=True)


def _stay(supervisor: Supervisor) -> None:
    while True:
        for death in supervisor.revive():
            print(f"{death}; it is started again", file=sys.stderr, flush=True)
        time.sleep(LOOK_SECONDS)


def _say_where(installation: Installation, folder: Path) -> None:
    print(f"Kafka        {installation.bootstrap}")
    print(f"keys         {installation.key_files.keyring.parent}")
    print(f"logs         {folder / 'services'}/<service>/log.jsonl")
    for provider in installation.providers:
        print(f"{provider:<12} reads {named_for(PROVIDER_DIRECTORY, provider)}")
    print(f"publish      KAFKA_BOOTSTRAP={installation.bootstrap} sanctuaire publish aaf PATH")
    print("Ctrl-C ends it; the data are kept.", flush=True)


def count_jars(done: int, total: int) -> None:
    """Say how far the first fetch of Kafka is."""
    if done == total or sys.stderr.isatty():
        print(f"\rApache Kafka: {done} of {total} jars", end="\n" if done == total else "", file=sys.stderr, flush=True)


def end_in_order_when_asked() -> None:
    """Take SIGTERM as Ctrl-C is taken: services first, then the broker."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
