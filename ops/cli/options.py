"""Options that several commands share."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer


def file_or_dash(path: Path | None) -> Path | None:
    """As `exists=True, allow_dash=True` would, which typer 0.29 does not: it looks for a file named `-`."""
    if path is not None and str(path) != "-" and not path.is_file():
        raise typer.BadParameter("no such file; give one, or - for stdin")
    return path


Bootstrap = Annotated[
    str | None,
    typer.Option("--bootstrap", envvar="KAFKA_BOOTSTRAP", metavar="HOST:PORT,…", help="The Kafka cluster."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
Source = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The platform whose ids these are; by default the export's own header says it."),
]
ExportPath = Annotated[Path, typer.Argument(exists=True, help="A file, a folder or a .tgz of AAF files.")]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who answers for it; by default the user's name.")]


def operator(by: str | None) -> str:
    """The name that goes on record."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
