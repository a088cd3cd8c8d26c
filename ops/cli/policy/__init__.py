"""`sanctuaire policy`: check, sign and compare a folder of policies, put it in force, and judge what it erases."""

import typer

from ops.cli.policy import applying, comparing, judging, signing

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Check, sign and apply the policies.")
for part in (applying, signing, comparing, judging):
    app.registered_commands.extend(part.commands.registered_commands)
