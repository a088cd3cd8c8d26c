"""`sanctuaire ingress`: which platforms may post, and of whom."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops import platforms as register
from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson
from ops.cli.rotation import DEFAULT_FOLDER

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say which platforms may post, and of whom.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The platform: an académie, an ENT project.")]
File = Annotated[
    Path,
    typer.Option("--file", envvar="SANCTUAIRE_PLATFORMS_FILE", dir_okay=False, help="The register of platforms."),
]
DEFAULT_FILE = DEFAULT_FOLDER / register.REGISTER_FILE


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Enter a platform into the register that ingress reads, and print its token, once: the register holds only a "
        "digest of it. The platform may speak of the persons and guardians of its sources, and with --ine of any "
        "pupil by the INE. A running ingress takes it at once.",
        "sanctuaire ingress token ac-99 --source ac-99 --ine",
    ),
)
def token(
    name: Name,
    source: Annotated[list[str], typer.Option(metavar="SOURCE", help="A source that is its own; may be repeated.")],
    ine: Annotated[bool, typer.Option("--ine", help="It may name any pupil by the INE.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Give it a new token; the old one ends.")] = False,
    file: File = DEFAULT_FILE,
) -> None:
    print(register.grant(file, name, tuple(source), ine=ine, replace=replace, random_bytes=os.urandom))


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Take a platform out of the register. A running ingress refuses its token from then on.",
        "sanctuaire ingress revoke ac-99",
    ),
)
def revoke(name: Name, file: File = DEFAULT_FILE) -> None:
    register.revoke(file, name)
    print(f"{name}: revoked")


@app.command(
    epilog=EPILOGUE,
    help=manual("Show which platforms may post, and of whom; never a token.", "sanctuaire ingress platforms --json"),
)
def platforms(file: File = DEFAULT_FILE, as_json: AsJson = False) -> None:
    found = register.read(file).platforms
    if as_json:
        rows = [{"name": one.name, "sources": list(one.sources), "ine": one.ine} for one in found]
        print(json.dumps({"platforms": rows}))
        return
    table = Table("platform", "sources", "any pupil by INE")
    for one in found:
        table.add_row(one.name, ", ".join(one.sources), "yes" if one.ine else "no")
    Console().print(table)
