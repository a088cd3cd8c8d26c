"""`sanctuaire simulate`: what one provider would see of a set of files, with no broker."""

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from ops import keys
from ops.cli.account import Account
from ops.cli.exits import EPILOGUE, NO_PROVIDER, SOME_REFUSED, manual
from ops.cli.options import AsJson, Source
from ops.cli.progress import Meter
from ops.policy_files import POLICIES_FOLDER, read_policies
from ops.publishing.exports import size_of
from ops.simulation.chain import Chain
from ops.simulation.population import Population
from ops.simulation.reading import Reading
from ops.simulation.records import Records
from ops.simulation.tally import Tally, in_order, meaning_of
from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.errors import WrongSettings
from services.contract.policies import ProviderPolicy
from services.ingress.reading import MAX_CONSENT_BYTES, Refused, read_lines
from services.pseudonymisation.keyring import Keyring, first_keyring

app = typer.Typer(add_completion=False)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Show what one provider would see of an AAF export, or of changes as lines of JSON (.ndjson): the people who "
        "are released and who are not, by reason, and the fields that leave and that stay inside. The stages' own "
        "functions decide, rename and tell; nothing is sent, and what is read is kept in a file that is then deleted. "
        "Guardians are known through the pupils of the same files. "
        "--records prints the records themselves, as the provider would read them.",
        "sanctuaire simulate --provider lecture --input exports/ --consents decisions.ndjson",
        "sanctuaire simulate --provider gar --input changes.ndjson --now 2026-09-15T08:00:00+02:00 --records",
    ),
)
def simulate(  # noqa: PLR0917  # typer passes them by name
    provider: Annotated[str, typer.Option(help="The provider's id, as its file is named.")],
    path: Annotated[Path, typer.Option("--input", exists=True, help="An AAF export, or changes by line (.ndjson).")],
    policies: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Their folder.")] = POLICIES_FOLDER,
    consents: Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="Decisions, by line.")] = None,
    now: Annotated[str | None, typer.Option(metavar="INSTANT", help="With its offset; by default now.")] = None,
    keyring: Annotated[
        Path | None, typer.Option("--keys", file_okay=False, help="As `keys init` makes them; else throw-away ones.")
    ] = None,
    source: Source = None,
    records: Annotated[bool, typer.Option("--records", help="Print the records (NDJSON) on stdout.")] = False,
    as_json: AsJson = False,
) -> None:
    moment = _instant(now)
    policy = read_policies(policies).get(provider)
    if policy is None:
        print(f"sanctuaire: no policy in {policies.name}/ is of that provider", file=sys.stderr)
        raise typer.Exit(NO_PROVIDER)
    chain = Chain(policy, _keyring(keyring, policy), moment)
    account, tally = Account(), Tally(policy)
    population, seen = Population(), Records()
    refused = _read(path, source, population, account) + _take(consents, population)
    _link(population, chain)
    _follow(population, chain, tally, seen if records else None)
    for each in seen:
        print(f'{{"pseudonym":"{each.pseudonym}","record":{each.record.decode()}}}')
    if as_json and not records:
        print(json.dumps(tally.to_json()))
    else:
        _show(tally, Console(stderr=records))
    raise typer.Exit(SOME_REFUSED if refused or account.refused else 0)


def _instant(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("an instant is needed, such as 2026-09-15T08:00:00+02:00") from None
    if instant.tzinfo is None:
        raise typer.BadParameter("the instant needs its offset from UTC, such as +02:00")
    return instant


def _keyring(folder: Path | None, policy: ProviderPolicy) -> Keyring:
    if folder is None:
        return first_keyring(policy.perimeter.id, os.urandom(32))
    found = keys.load(folder / keys.KEYRING_FILE, folder / keys.KEK_FILE)
    if found.perimeter != policy.perimeter.id:
        raise WrongSettings("the keyring is of another perimeter than the policies")
    return found


def _read(path: Path, source: str | None, population: Population, account: Account) -> int:
    """Fold every change in; the number of lines that were not taken."""
    refused = 0
    with Meter(size_of(path)) as meter:
        reading = Reading(path, source)
        for read in reading:
            if isinstance(read, Refused):
                refused += _refuse(read, path)
            elif not isinstance(read, Change):
                account.note(read)
            elif read.entity == "person":
                population.fold(read)
            meter.advance(reading.bytes_read)
    return refused


def _take(consents: Path | None, population: Population) -> int:
    if consents is None:
        return 0
    refused = 0
    with consents.open("rb") as stream:
        for read in read_lines(stream, ConsentDecision, MAX_CONSENT_BYTES):
            if isinstance(read, Refused):
                refused += _refuse(read, consents)
            else:
                population.take(read.payload)
    return refused


def _refuse(line: Refused, path: Path) -> int:
    print(f"refused: {path.name}, line {line.position}: {line.why} ({line.code})", file=sys.stderr)
    return 1


def _link(population: Population, chain: Chain) -> None:
    """Where the provider may know guardians: let each pupil whom it would have link hers."""
    if not chain.links:
        return
    with Meter(len(population), "people") as meter:
        for key, subject in population:
            for link in chain.links_of(key, subject):
                population.tie(link)
            meter.advance()


def _follow(population: Population, chain: Chain, tally: Tally, seen: Records | None) -> None:
    with Meter(len(population), "people") as meter:
        for key, subject in population:
            tally.people += 1
            outcomes = chain.follow(key, subject)
            if outcomes is None:
                tally.without_image += 1
                continue
            for outcome in outcomes:
                tally.count(outcome)
                if seen is not None and outcome.seen is not None:
                    seen.add(outcome.seen)
            meter.advance()


def _show(tally: Tally, console: Console) -> None:
    console.print(f"{tally.policy.name}: {tally.people} people, {tally.without_image} of them without an image")
    for name, of in tally.contracts.items():
        ends = Table("end", "people", "why", Column("reason", overflow="fold"), title=f"contract {name}")
        for end, reason, count in in_order(of):
            ends.add_row(end, str(count), meaning_of(reason).sentence, reason)
        console.print(ends)
        if not of.records:
            continue
        fields = Table("field", "leaves for", "stays inside for", "rule", title=f"of {of.records} released")
        dropped = {field for field, _ in of.dropped}
        for field in sorted(of.fields.keys() | dropped):
            rules = {rule: count for (kept, rule), count in sorted(of.dropped.items()) if kept == field}
            fields.add_row(field, str(of.fields[field]), str(sum(rules.values())), ", ".join(rules))
        console.print(fields)
