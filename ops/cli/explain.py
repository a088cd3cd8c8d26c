"""`sanctuaire explain`: why one provider knows one person, or does not, from the live topics."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from ops import keys
from ops.cli.exits import EPILOGUE, NO_PROVIDER, NO_SUBJECT, manual
from ops.cli.options import AsJson, Bootstrap, By, Key, KeysFolder, operator, typed
from ops.cli.progress import reading
from ops.cli.settings import PREFIX
from ops.explaining.asking import explain as explain_person
from ops.explaining.asking import find, put_on_record, was_ever_released
from ops.explaining.printing import to_json
from ops.explaining.showing import show
from ops.explaining.states import open_states
from ops.publishing.cluster import reach, require_topics
from ops.publishing.standing import read_standing
from services.contract.errors import explain_invalid
from services.contract.reads import SALT_OCTETS, ReadAct, read_act
from services.contract.topology import FILTERING_STATE, LEDGER, POLICIES, PSEUDONYMISATION_STATE, READS_AUDIT
from services.filtering.gazetteer_file import load_gazetteer
from services.filtering.generalisation import Counted
from services.pseudonymisation.keyring import Keyring

app = typer.Typer(add_completion=False)

NEEDED = (FILTERING_STATE, LEDGER, POLICIES, PSEUDONYMISATION_STATE, READS_AUDIT)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Explain how one person stands with one provider: what the directory said and when, every rule with its "
        "answer, the fields that leave and that do not, the last word of the filter, and how far it has come. The "
        "live state decides, by the filter's own functions; nothing is changed. Nobody is named but by what you type, "
        "unless you ask for values. The look itself is put on record (audit.reads.v1) before anything is shown: who "
        "looked and when, and the person only as a sealed digest.",
        "sanctuaire explain 999000001AB lecture --bootstrap localhost:9092",
        "sanctuaire explain ac-99:8810001 gar --keys run/keys --reference DPD-2026-17 --json",
    ),
)
def explain(  # noqa: PLR0917  # typer passes them by name
    subject: Key,
    provider: Annotated[str, typer.Argument(help="The provider's id.")],
    keyring: KeysFolder = None,
    show_values: Annotated[bool, typer.Option("--show-values", help="Show what the attributes hold.")] = False,
    reference: Annotated[str | None, typer.Option(help="The request or incident it is for: a number, no text.")] = None,
    by: By = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    subject = typed(subject)
    opened = keyring_of(keyring)
    addresses = reach(bootstrap)
    require_topics(addresses, NEEDED)
    standing = read_standing(addresses)
    policy = standing.policies.get(provider)
    at = datetime.now(UTC)
    with reading("reading what the stages remember") as progress, open_states(addresses, progress) as states:
        person = find(states, subject)
        had = person is not None and was_ever_released(person, provider)
        if policy is None and not had:
            _refuse("no policy in force is of that provider, and it was never released this person", NO_PROVIDER)
        # Whatever is shown or denied is on record first.
        put_on_record(addresses, act_of(
            key=person.key if person else subject, at=at, by=operator(by), reference=reference,
            provider=provider, found=person is not None, values=show_values,
        ))  # fmt: skip
        if person is None:
            refuse_unknown()
        found = explain_person(
            states, person, policy, opened,
            typed=subject, provider=provider, at=at, values=show_values, approved=standing.approved,
            counted=Counted(standing.census, load_gazetteer),
        )  # fmt: skip
    document = to_json(found)
    if as_json:
        print(json.dumps(document))
    else:
        show(document, Console())


def act_of(**parts: Any) -> ReadAct:
    """The record of a look; a usage error where a part cannot go on record."""
    try:
        return read_act(salt=os.urandom(SALT_OCTETS), **parts)
    except ValidationError as error:
        raise typer.BadParameter(explain_invalid(error, frozenset(ReadAct.model_fields))) from None


def _refuse(why: str, code: int) -> NoReturn:
    print(f"sanctuaire: {why}", file=sys.stderr)
    raise typer.Exit(code)


def refuse_unknown() -> NoReturn:
    _refuse("nobody is known under that key; give her INE, or <source>:<id>", NO_SUBJECT)


def keyring_of(folder: Path | None) -> Keyring | None:
    """From this folder, else from where the settings say; null where they say nothing."""
    if folder is not None:
        return keys.load(folder / keys.KEYRING_FILE, folder / keys.KEK_FILE)
    files = [os.environ.get(f"{PREFIX}{name}") for name in ("KEYRING_FILE", "KEY_ENCRYPTION_KEY_FILE")]
    return keys.load(Path(files[0]), Path(files[1])) if files[0] and files[1] else None
