"""`sanctuaire keys`: make the keyring and its key, see their state, change the names at providers, end old roots."""

import json
import os
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops import keys as key_files
from ops.cli import destruction, rotation
from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, Bootstrap, By, operator
from ops.cli.rotation import DEFAULT_FOLDER, Directory, show_progress
from ops.keys import KeyFiles
from ops.publishing.cluster import reach
from ops.publishing.keys import record
from services.contract.errors import Unreachable, WrongSettings
from services.pseudonymisation.keyring import Keyring

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Make the keys, see their state, and change them.")


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Make a sealed keyring and the key that opens it, both readable by their owner only. Keys are never "
        "overwritten. Keep the two on different volumes and in different backups: neither alone names anyone. With a "
        "cluster, that they were made goes on record there (audit.keys.v1).",
        "sanctuaire keys init --directory run/keys --perimeter FR",
    ),
)
def init(
    directory: Directory = DEFAULT_FOLDER,
    perimeter: Annotated[str, typer.Option(help="The perimeter's id.")] = "FR",
    by: By = None,
    bootstrap: Bootstrap = None,
) -> None:
    made = key_files.init(directory, perimeter, os.urandom)
    print(f"SANCTUAIRE_KEYRING_FILE={made.keyring.absolute()}")
    print(f"SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE={made.kek.absolute()}")
    try:
        record(reach(bootstrap), "made", key_files.load(made.keyring, made.kek), operator(by), epoch=1)
    except (Unreachable, WrongSettings) as error:
        print(f"note: that they were made is not on record: {error}", file=sys.stderr)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Show the epochs of a keyring and the providers that were re-keyed, never a key. With a cluster, how far "
        "providers have come in a rotation: who is known, who is not said or named anew yet, and who may still be "
        "known under a name of before.",
        "sanctuaire keys status --directory run/keys --bootstrap localhost:9092",
    ),
)
def status(directory: Directory = DEFAULT_FOLDER, bootstrap: Bootstrap = None, as_json: AsJson = False) -> None:
    files = KeyFiles.within(directory)
    keyring = key_files.load(files.keyring, files.kek)
    progress = show_progress(bootstrap, keyring, quiet=as_json) if bootstrap else None
    if as_json:
        print(json.dumps(to_json(keyring) | ({"rotation": progress} if progress else {})))
        return
    table = Table("epoch", "state", title=f"keyring of perimeter {keyring.perimeter}, serial {keyring.serial}")
    for epoch in keyring.epochs:
        table.add_row(str(epoch.number), str(epoch.state))
    Console().print(table)
    for each in keyring.generations:
        print(f"{each.provider}: generation {each.number} {each.state}")


def to_json(keyring: Keyring) -> dict[str, object]:
    return {
        "perimeter": keyring.perimeter,
        "serial": keyring.serial,
        "active_epoch": keyring.active_epoch.number,
        "epochs": [{"epoch": epoch.number, "state": str(epoch.state)} for epoch in keyring.epochs],
        "generations": [
            {"provider": each.provider, "generation": each.number, "state": str(each.state)}
            for each in keyring.generations
        ],
    }


for part in (rotation, destruction):
    app.registered_commands.extend(part.commands.registered_commands)
