"""`sanctuaire publish`: what a platform tells the directory, onto Kafka."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops.cli.account import Account
from ops.cli.exits import EPILOGUE, SOME_REFUSED, manual
from ops.cli.options import AsJson, Bootstrap, ExportPath, Source, file_or_dash
from ops.cli.progress import Meter
from ops.publishing.changes import ChangePublisher, read_identifiers
from ops.publishing.cluster import Addresses, open_producer, reach, require_topics
from ops.publishing.consents import publish_decision
from ops.publishing.delivery import Delivery
from ops.publishing.exports import ExportReading, size_of
from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.errors import TooLarge, Unreachable
from services.contract.topology import CHANGES, CONSENTS, IDENTIFIERS
from services.ingress.identifiers import Identifiers
from services.ingress.reading import MAX_CONSENT_BYTES, Refused, read_lines

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Publish an export, or consents, on Kafka.")


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Publish every change of an AAF export, each under the key that its person was first published under. What "
        "is refused is said by file and record, and the rest goes on. Publishing twice changes nothing.",
        "sanctuaire publish aaf exports/ --bootstrap localhost:9092",
        "sanctuaire publish aaf exports/ --dry-run --json",
    ),
)
def aaf(
    path: ExportPath,
    source: Source = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing; Kafka is read where it is named.")] = False,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    account = Account()
    if dry_run:
        known = read_identifiers(_ready(bootstrap)) if bootstrap else Identifiers()
        _publish(path, source, account, known, None)
    else:
        addresses = _ready(bootstrap)
        known = read_identifiers(addresses)
        with _delivery(addresses) as delivery:
            _publish(path, source, account, known, ChangePublisher(delivery, known))
    _summarise(account, dry_run, as_json)
    raise typer.Exit(account.exit_code)


@contextmanager
def _delivery(addresses: Addresses) -> Iterator[Delivery]:
    """However it ends, it does not end half-published without a word."""
    with open_producer(addresses) as producer:
        delivery = Delivery(producer)
        try:
            yield delivery
        except Unreachable:
            raise  # it says so itself
        except BaseException:
            print(f"sanctuaire: broken off; acknowledged so far: {delivery.tally()}", file=sys.stderr)
            raise


def _ready(bootstrap: str | None) -> Addresses:
    addresses = reach(bootstrap)
    require_topics(addresses, (CHANGES, IDENTIFIERS))
    return addresses


def _publish(
    path: Path, source: str | None, account: Account, known: Identifiers, publisher: ChangePublisher | None
) -> None:
    reading = ExportReading(path, source, known.structures_of)
    with Meter(size_of(path)) as meter:
        for read in reading:
            if not isinstance(read, Change):
                account.note(read)
                continue
            try:
                if publisher is None:
                    known.learn(read)
                else:
                    publisher.add(read)
            except TooLarge as error:
                account.refuse_change(reading.file, reading.record, error.code)
            else:
                account.taken[read.entity, read.kind] += 1
            meter.advance(reading.bytes_read)
        if publisher is not None:
            publisher.settle()


def _summarise(account: Account, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print(json.dumps({**account.to_json(), "dry_run": dry_run}))
        return
    table = Table("entity", "kind", "would be published" if dry_run else "published")
    for (entity, kind), count in sorted(account.taken.items()):
        table.add_row(entity, kind, str(count))
    console = Console()
    console.print(table)
    console.print(
        f"{account.refused} refused, {sum(account.set_aside.values())} set aside, {account.warnings} warnings"
    )


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Publish consent decisions, one JSON object a line. A line that is refused is said by its number, and the "
        "rest goes on: a mistake on one line must not keep a withdrawal on the next from being heard.",
        "sanctuaire publish consents decisions.ndjson --bootstrap localhost:9092",
    ),
)
def consents(
    path: Annotated[Path, typer.Argument(callback=file_or_dash, help="A file, or - for stdin.")],
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    addresses = reach(bootstrap)
    require_topics(addresses, (CONSENTS, IDENTIFIERS))
    with _delivery(addresses) as delivery:
        published, refused = _publish_consents(path, delivery, partial(read_identifiers, addresses))
    if as_json:
        print(json.dumps({"published": dict(sorted(published.items())), "refused": refused}))
    else:
        print(f"{sum(published.values())} published, {refused} refused")
    raise typer.Exit(SOME_REFUSED if refused else 0)


def _publish_consents(
    path: Path, delivery: Delivery, read: Callable[[], Identifiers]
) -> tuple[Counter[str], int]:  # fmt: skip
    """Identifiers are read once somebody is named by `<source>:<id>`: she may be known under her INE alone."""
    published: Counter[str] = Counter()
    refused, known = 0, None
    with sys.stdin.buffer if str(path) == "-" else path.open("rb") as stream:
        for line in read_lines(stream, ConsentDecision, MAX_CONSENT_BYTES):
            if isinstance(line, Refused):
                refused += 1
                print(f"refused: line {line.position}: {line.why} ({line.code})", file=sys.stderr)
                continue
            decision = line.payload
            if ":" in decision.subject:
                known = known or read()
                decision = known.addressed(decision)
            publish_decision(delivery, decision)
            published[decision.status] += 1
    delivery.settle()
    return published, refused
