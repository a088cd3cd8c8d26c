"""`sanctuaire keys`: make the keyring and its key, and see which epochs live."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops import keys as key_files
from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make the keys, and see their state.")

DEFAULT_FOLDER = Path("run/keys")

Directory = Annotated[Path, typer.Option(help="Where the two files are.", file_okay=False)]


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Make a sealed keyring and the key that opens it, both readable by their owner only. Keys are never "
        "overwritten. Keep the two on different volumes and in different backups: neither alone names anyone.",
        "sanctuaire keys init --directory run/keys --perimeter FR",
    ),
)
def init(
    directory: Directory = DEFAULT_FOLDER,
    perimeter: Annotated[str, typer.Option(help="The perimeter's id.")] = "FR",
) -> None:
    made = key_files.init(directory, perimeter, os.urandom)
    print(f"SANCTUAIRE_KEYRING_FILE={made.keyring.absolute()}")
    print(f"SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE={made.kek.absolute()}")


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Show the epochs of a keyring and the providers that were re-keyed, never a key.",
        "sanctuaire keys status --directory run/keys",
    ),
)
def status(directory: Directory = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    found = key_files.status(directory / key_files.KEYRING_FILE, directory / key_files.KEK_FILE)
    if as_json:
        epochs = [{"epoch": number, "state": str(state)} for number, state in found.epochs]
        print(
            json.dumps({"perimeter": found.perimeter, "active_epoch": found.active_epoch, "epochs": epochs,
                        "generations": dict(found.generations)})
        )  # fmt: skip
        return
    table = Table("epoch", "state", title=f"keyring of perimeter {found.perimeter}")
    for number, state in found.epochs:
        table.add_row(str(number), str(state))
    Console().print(table)
    for provider, generation in found.generations:
        print(f"{provider}: generation {generation}")
