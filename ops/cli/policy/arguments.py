"""What the commands of `sanctuaire policy` share."""

from pathlib import Path
from typing import Annotated

import typer

from ops.cli.rotation import DEFAULT_FOLDER
from ops.policy_signatures import PRIVATE_FILE, TRUSTED_FILE

SIGNING_KEY = DEFAULT_FOLDER / PRIVATE_FILE
TRUSTED_KEYS = DEFAULT_FOLDER / TRUSTED_FILE

Folder = Annotated[
    Path,
    typer.Argument(exists=True, file_okay=False, help="perimeter.yaml, register.yaml, and one <provider>.yaml each."),
]
