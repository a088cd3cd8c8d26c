"""What the commands of `sanctuaire policy` share."""

import getpass
import os
from pathlib import Path
from typing import Annotated

import typer

from ops.cli.keys import DEFAULT_FOLDER
from ops.policy_signatures import PRIVATE_FILE, TRUSTED_FILE

SIGNING_KEY = DEFAULT_FOLDER / PRIVATE_FILE
TRUSTED_KEYS = DEFAULT_FOLDER / TRUSTED_FILE

Folder = Annotated[
    Path,
    typer.Argument(exists=True, file_okay=False, help="perimeter.yaml, register.yaml, and one <provider>.yaml each."),
]
By = Annotated[str | None, typer.Option(metavar="NAME", help="Who answers for it; by default the user's name.")]


def operator(by: str | None) -> str:
    """The name that goes on record."""
    if by:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
