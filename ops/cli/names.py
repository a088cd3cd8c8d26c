"""`sanctuaire pseudonyms-of`: by which names providers know somebody, for who has the right to ask (GDPR art. 15)."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ops.cli.exits import EPILOGUE, manual
from ops.cli.explain import act_of, keyring_of, refuse_unknown
from ops.cli.options import AsJson, Bootstrap, By, Key, KeysFolder, operator, typed
from ops.cli.progress import reading
from ops.explaining.asking import Person, find, pseudonyms_of, put_on_record
from ops.explaining.states import open_states
from ops.publishing.cluster import reach, require_topics
from services.contract.errors import NoKey
from services.contract.topology import FILTERING_STATE, READS_AUDIT
from services.filtering.subject import load
from services.pseudonymisation.keyring import Keyring

app = typer.Typer(add_completion=False)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Show under which name each provider knows one person: what she, or who answers for her, may be told "
        "(GDPR art. 15; EDPB guidelines 01/2025, 79). While names change, those of before as well. That they were told "
        "is put on record first (audit.reads.v1).",
        "sanctuaire pseudonyms-of 999000001AB --reference ACCES-2026-31 --bootstrap localhost:9092",
        "sanctuaire pseudonyms-of - --keys run/keys --json < key.txt",
    ),
)
def pseudonyms(  # noqa: PLR0917  # typer passes them by name
    subject: Key,
    keyring: KeysFolder = None,
    reference: Annotated[str | None, typer.Option(help="The request that it answers: a number, no text.")] = None,
    by: By = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    subject = typed(subject)
    opened = keyring_of(keyring)
    if opened is None:
        raise NoKey("without the keyring nobody can say a name: give --keys, or set the variables of the pseudonymiser")
    addresses = reach(bootstrap)
    require_topics(addresses, (FILTERING_STATE, READS_AUDIT))
    with reading("reading what the filter remembers") as progress, open_states(addresses, progress) as states:
        person = find(states, subject)
    put_on_record(addresses, act_of(
        act="pseudonyms-told", key=person.key if person else subject, at=datetime.now(UTC), by=operator(by),
        reference=reference, provider=None, found=person is not None,
    ))  # fmt: skip
    if person is None:
        refuse_unknown()
    rows = names_of(person, opened)
    if as_json:
        print(json.dumps(rows))
        return
    table = Table("provider", "contract", "pseudonym", "before", "known")
    for row in rows:
        table.add_row(row["provider"], row["contract"], row["pseudonym"], " ".join(row["former"]),
                      "yes" if row["known"] else "forgotten")  # fmt: skip
    Console().print(table)


def names_of(person: Person, keyring: Keyring) -> list[dict[str, Any]]:
    """A row a pair, those that were erased included: the provider once knew her by that name."""
    rows = []
    for place, pair in sorted(load(person.entry.value).pairs.items()):
        provider, _, contract = place.partition("/")
        try:
            name, *former = pseudonyms_of(provider, pair, keyring, pair.serial)
        except NoKey:
            continue  # erased under names that were retired since: nobody can say them any more
        rows.append({"provider": provider, "contract": contract, "pseudonym": name, "former": former,
                     "known": pair.last != "erase"})  # fmt: skip
    return rows
