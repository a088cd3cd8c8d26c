"""`sanctuaire demo`: the whole flow on a real Kafka, then an independent reader's judgement."""

import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import orjson
import typer

from ops.broker.embedded import EmbeddedBroker
from ops.broker.existing import bootstrap_or_embedded
from ops.broker.ports import free_port_at_best
from ops.demo.acts import Play
from ops.demo.asking import asked
from ops.demo.exports import write_exports
from ops.demo.publication import publication
from ops.demo.reader import published, read_out
from ops.demo.scenario import stage
from ops.demo.screen import Screen
from ops.demo.summary import summary, tally_of
from ops.demo.tally import ends_of
from ops.demo.verifier import judge
from ops.demo.view import ends_tables, judgement
from ops.demo.watch import Watch
from ops.installation import Installation, install
from ops.policy_files import POLICIES_FOLDER
from ops.supervisor import Service, Supervisor
from ops.synthesis import canaries
from ops.up import CONSOLE_PORT, READY_SECONDS, count_jars, end_in_order_when_asked, where_to_look
from services.contract.errors import WrongSettings

SEED = 2026


def demo(  # noqa: PLR0917  # one each option
    json: Annotated[Path | None, typer.Option("--json", help="Write the summary to this file.")] = None,
    schools: Annotated[int, typer.Option(min=1, max=50, help="How many schools to invent.")] = 2,
    pupils: Annotated[int, typer.Option(min=20, max=2000, help="How many pupils a school has.")] = 300,
    partitions: Annotated[int, typer.Option(min=1, max=64, help="Of the topics keyed by a subject.")] = 4,
    keep: Annotated[Path | None, typer.Option(help="Keep exports, keys and logs in this new folder.")] = None,
    console: Annotated[
        bool, typer.Option("--console", help="Show the operators' page too, and keep it up until Ctrl-C.")
    ] = False,
) -> None:
    """Two invented schools through the real services; ends by itself, unless the page is asked for.

    Example: sanctuaire demo --console

    Exit codes: 0 where every input is reconciled with its ends and no canary is found outside, else 1.
    """
    end_in_order_when_asked()
    began, screen = time.monotonic(), Screen()
    with _folder(keep) as folder, ExitStack() as stack:
        broker = partial(EmbeddedBroker, log_to=folder / "kafka.log", progress=count_jars)
        bootstrap = stack.enter_context(bootstrap_or_embedded(broker))
        installation = install(bootstrap, folder / "keys", POLICIES_FOLDER, partitions)
        _refuse_used(bootstrap)
        services = (*installation.services, *((_page(installation),) if console else ()))
        supervisor = stack.enter_context(Supervisor(services=services, folder=folder / "services"))
        cast = stage(schools, pupils, SEED, *asked(installation))
        exports = write_exports(cast, SEED, pupils, folder / "exports")
        platform = stack.enter_context(publication(installation.addresses))
        watch = stack.enter_context(Watch(bootstrap, installation.providers))
        play = Play(installation, cast, exports, platform, watch, supervisor, screen)
        supervisor.wait_ready(READY_SECONDS, partitions)
        screen.say(f"Kafka and {len(services)} services are ready ({time.monotonic() - began:.1f} s).")
        if console:
            screen.say(where_to_look(installation, services[-1]))
        play.run()
        is_good = _judge(play, json, schools, pupils, began)
        if console:
            screen.say("Ctrl-C ends it.")
            with suppress(KeyboardInterrupt):
                signal.pause()
    raise typer.Exit(0 if is_good else 1)


def _page(installation: Installation) -> Service:
    return installation.console_at(f"127.0.0.1:{free_port_at_best(CONSOLE_PORT)}")


def _judge(play: Play, json: Path | None, schools: int, pupils: int, began: float) -> bool:
    """Read everything out while the services still run, and say what the independent reader found."""
    play.screen.act("6. An independent reader reconciles every input with its ends, and searches for canaries")
    read = read_out(play.installation.bootstrap, play.supervisor.logs)
    forbidden = canaries(schools, SEED, delta=True, pupils_per_school=pupils).forbidden
    judged = judge(read, forbidden)
    tally = tally_of(read)
    for table in ends_tables({name: ends_of(tally, name) for name in tally.providers}, read.policies):
        play.screen.show(table)
    inputs = sum(end - first for first, end in read.ends.values())
    play.screen.show(judgement(judged, inputs, read.quarantined))
    seconds = time.monotonic() - began
    play.screen.say(f"{seconds:.0f} s in all.")
    if json is not None:
        json.write_bytes(orjson.dumps(summary(read, judged, seconds), option=orjson.OPT_INDENT_2) + b"\n")
    return judged.is_good


def _refuse_used(bootstrap: str) -> None:
    """Reconciling supposes that every input is the demonstration's own."""
    if any(published(bootstrap).values()):
        raise WrongSettings(
            "this cluster holds changes or consents already, and the demonstration wants one of its own: "
            "unset KAFKA_BOOTSTRAP, and it starts one"
        )


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Where everything but the broker's data lies; temporary unless it is to be kept."""
    if keep is not None:
        if keep.exists():
            raise WrongSettings(f"{keep}: already there; name a new folder")
        keep.mkdir(parents=True)
        yield keep
        return
    folder = Path(tempfile.mkdtemp(prefix="sanctuaire-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
