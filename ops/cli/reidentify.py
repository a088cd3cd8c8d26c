"""`sanctuaire reidentify`: who is behind a name that a provider gave, after an incident there; by two operators."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from ops.cli import exits
from ops.cli.destruction import OPERATORS, SigningKey, Trusted
from ops.cli.explain import act_of, keyring_of
from ops.cli.options import Bootstrap, By, KeysFolder, operator
from ops.cli.progress import reading
from ops.dual_control import Request, confirm, read_request, sign_request, write_request
from ops.explaining.asking import pseudonyms_of, put_on_record
from ops.explaining.states import States, open_states
from ops.policy_signatures import read_signing_key, read_trusted
from ops.publishing.cluster import reach, require_topics
from services.contract.errors import NoKey, NotSigned
from services.contract.topology import FILTERING_STATE, READS_AUDIT
from services.filtering.subject import SUBJECT, load
from services.pseudonymisation.keyring import Keyring

app = typer.Typer(add_completion=False)


@app.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Find the person behind a pseudonym, by naming everybody whom the provider has: there is no table of names. It "
        "takes two operators: the first makes a signed request with a reference, the second confirms it with another "
        "key while it holds (else 65). Who asked and who confirmed goes on record (audit.reads.v1) before the one key "
        "is shown.",
        "sanctuaire reidentify gar gbhsd4ne3yi56r6dhee7ckmto3od2a6h --key a.key --request find.json \\",
        "  --reference INC-2026-4 --hours 2",
        "sanctuaire reidentify gar gbhsd4ne3yi56r6dhee7ckmto3od2a6h --key b.key --confirm find.json --keys run/keys",
    ),
)
def reidentify(  # noqa: PLR0917  # typer passes them by name
    provider: Annotated[str, typer.Argument(help="The provider's id.")],
    pseudonym: Annotated[str, typer.Argument(help="The name that it gave: 32 characters.")],
    key: SigningKey,
    request: Annotated[Path | None, typer.Option(dir_okay=False, help="Write the request there.")] = None,
    confirmed: Annotated[Path | None, typer.Option("--confirm", dir_okay=False, help="Confirm that request.")] = None,
    reference: Annotated[str | None, typer.Option(help="The incident it is for: a number, no text.")] = None,
    hours: Annotated[int, typer.Option(min=1, max=24, help="For how long the request holds.")] = 1,
    keyring: KeysFolder = None,
    trusted: Trusted = OPERATORS,
    by: By = None,
    bootstrap: Bootstrap = None,
) -> None:
    if (request is None) == (confirmed is None):
        raise typer.BadParameter("give either --request or --confirm")
    opened = keyring_of(keyring)
    if opened is None:
        raise NoKey("without the keyring nobody can find anybody: give --keys")
    private, now, matter = read_signing_key(key), datetime.now(UTC), f"{provider}/{pseudonym}"
    if request is not None:
        if reference is None:
            raise typer.BadParameter("a request names what it is for", param_hint="--reference")
        asked = Request(
            act="find-person", perimeter=opened.perimeter, matter=matter, reference=reference, by=operator(by), at=now,
            until=now + timedelta(hours=hours),
        )  # fmt: skip
        write_request(request, sign_request(asked, private))
        print(f"requested: another operator confirms it with --confirm {request}")
        return
    held = read_request(confirmed or Path())
    signed = confirm(held, read_trusted(trusted), private, operator(by), now)
    if (held.act, held.perimeter, held.matter) != ("find-person", opened.perimeter, matter):
        raise NotSigned("the request is for something else")
    addresses = reach(bootstrap)
    require_topics(addresses, (FILTERING_STATE, READS_AUDIT))
    with reading("naming everybody whom the provider has") as progress, open_states(addresses, progress) as states:
        found = search(states, opened, provider, pseudonym)
    put_on_record(addresses, act_of(
        act="found", key=found or matter, at=now, by=operator(by), reference=held.reference, provider=provider,
        found=found is not None, signed=signed,
    ))  # fmt: skip
    if found is None:
        print("sanctuaire: that provider knows nobody by that name, nor did before the names changed last",
              file=sys.stderr)  # fmt: skip
        raise typer.Exit(exits.NO_SUBJECT)
    print(found)


def search(states: States, keyring: Keyring, provider: str, pseudonym: str) -> str | None:
    """The routing key of whom this provider knows, or knew, by this name; names of retired roots are not tried."""
    for number in range(states.partitions(FILTERING_STATE)):
        for place, entry in states.read(FILTERING_STATE, number, lambda key: key.startswith(SUBJECT)).items():
            pairs = {name: pair for name, pair in load(entry.value).pairs.items() if name.startswith(f"{provider}/")}
            if any(pseudonym in pseudonyms_of(provider, pair, keyring, keyring.serial) for pair in pairs.values()):
                return place[len(SUBJECT) :].decode()
    return None
