"""`sanctuaire policy keygen` and `sign`."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, By, operator
from ops.cli.policy.arguments import SIGNING_KEY, Folder
from ops.cli.rotation import DEFAULT_FOLDER
from ops.policy_files import POLICIES_FOLDER, parse_policies, read_files
from ops.policy_signatures import (
    SIGNATURE_FILE,
    fingerprint,
    generate,
    read_signing_key,
    sign,
    write_signature,
)

commands = typer.Typer()


@commands.command(
    epilog=EPILOGUE,
    help=manual(
        "Make an Ed25519 key to sign policies with, readable by its owner only, and beside it the file of trusted keys "
        "that `policy apply` goes by. Where several may sign, append each one's public key to that file.",
        "sanctuaire policy keygen --directory run/keys",
    ),
)
def keygen(
    directory: Annotated[Path, typer.Option(help="Where the two files go.", file_okay=False)] = DEFAULT_FOLDER,
) -> None:
    made = generate(directory)
    print(f"key      {made.private}")
    print(f"trusted  {made.trusted}")


@commands.command(
    name="sign",
    epilog=EPILOGUE,
    help=manual(
        f"Sign every file of a folder of policies, by name and digest, into {SIGNATURE_FILE}. A set with an error is "
        "not signed (65).",
        "sanctuaire policy sign ops/policies --key run/keys/policies.key --by 'A. Operator'",
    ),
)
def sign_folder(
    path: Folder = POLICIES_FOLDER,
    key: Annotated[Path, typer.Option(dir_okay=False, help="The signing key, in PEM.")] = SIGNING_KEY,
    signature: Annotated[
        Path | None, typer.Option(dir_okay=False, help=f"Where to; by default {SIGNATURE_FILE} in the folder.")
    ] = None,
    by: By = None,
    as_json: AsJson = False,
) -> None:
    files, private = read_files(path), read_signing_key(key)
    parse_policies(files)
    made, target = sign(files, private, operator(by), datetime.now(UTC)), signature or path / SIGNATURE_FILE
    write_signature(target, made)
    shown = {"file": str(target), "by": made.by, "at": made.at.isoformat(), "key": fingerprint(private.public_key())}
    print(json.dumps(shown) if as_json else "\n".join(f"{name:<5} {value}" for name, value in shown.items()))
