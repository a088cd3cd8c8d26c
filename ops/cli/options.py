"""Options that several commands share."""

import getpass
import os
import sys
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

KeysFolder = Annotated[
    Path | None, typer.Option("--keys", file_okay=False, help="Where `keys init` made them; else the settings'.")
]
Key = Annotated[str, typer.Argument(help="Her INE, or <source>:<id>; - reads it from stdin.")]


def typed(key: str) -> str:
    """The key as it was typed, or as it stands on the first line of stdin."""
    return sys.stdin.readline().strip() if key == "-" else key


def operator(by: str | None) -> str:
    """The name that goes on record."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
