"""`sanctuaire console`: who may look at the operators' page."""

import os
from pathlib import Path
from typing import Annotated

import typer

from ops import operators
from ops.cli.exits import EPILOGUE, manual
from ops.cli.rotation import DEFAULT_FOLDER
from services.contract.errors import WrongSettings

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say who may look at the operators' page.")


@app.callback()
def console() -> None:
    """Keep `password` a command of its own: others will stand beside it."""


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Make the console's account, or give it a new password, and print that, once: the file holds only a digest of "
        "it (scrypt). A running console takes it at once, and whoever was signed in is so no more.",
        "sanctuaire console password --file run/keys/operator.json",
    ),
)
def password(
    name: Annotated[str, typer.Option(help="The account's name.")] = operators.NAME,
    file: Annotated[
        Path, typer.Option("--file", envvar="SANCTUAIRE_OPERATOR_FILE", dir_okay=False, help="The account's file.")
    ] = DEFAULT_FOLDER / operators.ACCOUNT_FILE,
) -> None:
    try:
        print(operators.renew(file, name, os.urandom))
    except ValueError:
        raise WrongSettings("--name: lower-case letters, digits and hyphens, 40 at most") from None
