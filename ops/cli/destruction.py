"""`sanctuaire keys destroy`: a root is forgotten for good, by two operators, once nobody is known under it."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ops import keys as key_files
from ops.cli import exits
from ops.cli.options import AsJson, Bootstrap, By, operator
from ops.cli.rotation import DEFAULT_FOLDER, Directory, require_settled
from ops.dual_control import Request, SignedRequest, confirm, read_request, sign_request, write_request
from ops.keys import KeyFiles
from ops.policy_signatures import fingerprint, read_signing_key, read_trusted
from ops.publishing.cluster import Addresses, reach, require_topics
from ops.publishing.keys import NEEDED, record
from services.contract.acts import Signed
from services.contract.errors import NotSigned
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.lifecycle import destroyed

commands = typer.Typer()

SigningKey = Annotated[Path, typer.Option("--key", dir_okay=False, help="The key of whoever runs this, in PEM.")]
Trusted = Annotated[Path, typer.Option(dir_okay=False, help="Public keys of the operators who may, in PEM.")]
OPERATORS = DEFAULT_FOLDER / "operators.pub"


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Destroy a retired root. It takes two operators: the first makes a signed request, the second confirms it with "
        "another key within a day (else 65). Refused (1) while the ledger shows anybody under other names than those "
        "of now. Backups of the sealed file hold the root still: destroy them too.",
        "sanctuaire keys destroy 1 --key a.key --request destroy-1.json --reference DSI-2026-4",
        "sanctuaire keys destroy 1 --key b.key --confirm destroy-1.json",
    ),
)
def destroy(  # noqa: PLR0917  # typer passes them by name
    epoch: Annotated[int, typer.Argument(min=1, help="The number of the epoch, as `status` shows it.")],
    key: SigningKey,
    request: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the request there.")] = None,
    confirmed: Annotated[Path | None, typer.Option("--confirm", dir_okay=False, help="Confirm that request.")] = None,
    reference: Annotated[str | None, typer.Option(help="The decision it rests on: a number, no text.")] = None,
    directory: Directory = DEFAULT_FOLDER,
    trusted: Trusted = OPERATORS,
    by: By = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    if (request is None) == (confirmed is None):
        raise typer.BadParameter("give either --request or --confirm")
    if request is not None and reference is None:
        raise typer.BadParameter("a request names what it rests on", param_hint="--reference")
    addresses, files = reach(bootstrap), KeyFiles.within(directory)
    require_topics(addresses, NEEDED)
    keyring = key_files.load(files.keyring, files.kek)
    destroyed(keyring, epoch)
    require_settled(addresses, keyring, as_json=as_json)
    if request is not None and reference is not None:
        _ask(addresses, keyring, epoch, reference, key, operator(by), request)
    elif confirmed is not None:
        _confirm(addresses, files, epoch, read_request(confirmed), key, trusted, operator(by))


def _ask(  # noqa: PLR0917  # what a request says
    addresses: Addresses, keyring: Keyring, epoch: int, reference: str, key: Path, by: str, target: Path
) -> None:
    private, now = read_signing_key(key), datetime.now(UTC)
    asked = Request(
        act="destroy-root", perimeter=keyring.perimeter, matter=str(epoch), reference=reference, by=by, at=now,
        until=now + timedelta(days=1),
    )  # fmt: skip
    write_request(target, sign_request(asked, private))
    signed = Signed(by=by, at=now, key=fingerprint(private.public_key()))
    record(addresses, "destruction-requested", keyring, by, epoch=epoch, reference=reference, signed=(signed,))
    print(f"requested: another operator confirms it with --confirm {target}")


def _confirm(  # noqa: PLR0917  # what is confirmed, and by whom
    addresses: Addresses, files: KeyFiles, epoch: int, asked: SignedRequest, key: Path, trusted: Path, by: str
) -> None:
    signed = confirm(asked, read_trusted(trusted), read_signing_key(key), by, datetime.now(UTC))
    keyring = key_files.load(files.keyring, files.kek)
    if (asked.act, asked.perimeter, asked.matter) != ("destroy-root", keyring.perimeter, str(epoch)):
        raise NotSigned("the request is for something else")
    # On record first: what is destroyed cannot be put on record afterwards by whoever finds it gone.
    record(addresses, "destroyed", destroyed(keyring, epoch), by, epoch=epoch, reference=asked.reference, signed=signed)
    key_files.change(files, lambda known: destroyed(known, epoch), os.urandom)
    print(f"epoch {epoch} is destroyed; destroy the backups of {files.keyring.name} of before too")
