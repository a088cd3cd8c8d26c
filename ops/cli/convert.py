"""`sanctuaire convert`: an export to changes, one line each, without Kafka."""

import sys

import typer

from ops.cli.account import Account
from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import ExportPath, Source
from ops.publishing.exports import ExportReading
from services.contract.changes import Change
from services.ingress.events import encode
from services.ingress.identifiers import Identifiers

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Read an export and write its changes to stdout.")


@app.callback()
def convert() -> None:
    """Read an export and write its changes to stdout."""


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Write one change a line (NDJSON) on stdout for every request of an AAF export: what `publish` would send. "
        "What is refused or set aside is said on stderr, by file and record.",
        "sanctuaire convert aaf exports/ > changes.ndjson",
        "sanctuaire convert aaf ENT_20260915.tgz | head -1",
    ),
)
def aaf(path: ExportPath, source: Source = None) -> None:
    account, schools, out = Account(), Identifiers(), sys.stdout.buffer
    for read in ExportReading(path, source, schools.structures_of):
        if isinstance(read, Change):
            if read.entity == "school":
                schools.learn(read)
            out.write(encode(read) + b"\n")
        else:
            out.flush()
            account.note(read)
    out.flush()
    raise typer.Exit(account.exit_code)
