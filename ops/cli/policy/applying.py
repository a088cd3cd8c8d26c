"""`sanctuaire policy check` and `apply`."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, Bootstrap, By, operator
from ops.cli.policy.arguments import TRUSTED_KEYS, Folder
from ops.cli.policy.comparing import compare, policies_after
from ops.linting.contracts import lint
from ops.linting.needs import NEEDS_FILE, read_needs
from ops.linting.notes import Note
from ops.policy_diff import Count
from ops.policy_files import POLICIES_FOLDER, Policies, parse_policies, read_files, read_policies
from ops.policy_signatures import SIGNATURE_FILE, read_signature, read_trusted, verify
from ops.publishing.cluster import Addresses, reach
from ops.publishing.policies import apply_policies, require_topics_of
from ops.publishing.standing import read_standing
from services.contract.policies import change_set, day_in_paris, policy_digest

commands = typer.Typer()


@commands.command(
    epilog=EPILOGUE,
    help=manual(
        "Read a folder of policies as `apply` would, and say what is wrong or doubtful. A set with one error is "
        "refused whole (65). Notes are no errors: they say what a provider asks without need (needs/purposes.yaml), "
        "and what it will miss and why, by letting the rules decide people for whom all is in order.",
        "sanctuaire policy check ops/policies",
    ),
)
def check(path: Folder = POLICIES_FOLDER, as_json: AsJson = False) -> None:
    policies = read_policies(path)
    found = _noted(policies, path)
    rows = [(name, "–", policy_digest(policy), "sound") for name, policy in policies.items()]
    digests = {name: policy_digest(policy) for name, policy in policies.items()}
    _show(rows, as_json, {"change_set": change_set(digests), "notes": [note.to_json() for note in found]})
    if not as_json:
        _show_notes(found)


@commands.command(
    epilog=EPILOGUE,
    help=manual(
        "Put a signed folder of policies in force: those whose content differs get the next version, all in one "
        "transaction with the record of who did it. A set that is not signed by a trusted key, or has an error, is "
        "refused whole (65), one whose topics are missing too (78); the old one stays. A provider without a file keeps "
        "its policy. What would erase everybody of a provider, or more than a share, waits for `policy approve`.",
        "sanctuaire policy apply ops/policies --bootstrap localhost:9092",
    ),
)
def apply(  # noqa: PLR0917  # typer passes them by name
    path: Folder = POLICIES_FOLDER,
    signature: Annotated[
        Path | None, typer.Option(dir_okay=False, help=f"By default {SIGNATURE_FILE} in the folder.")
    ] = None,
    trusted: Annotated[Path, typer.Option(dir_okay=False, help="Public keys of who may sign, in PEM.")] = TRUSTED_KEYS,
    guard_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="A provider that would lose more than this waits for approval.")
    ] = 0.5,
    by: By = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    files = read_files(path)
    signed = verify(files, read_signature(signature or path / SIGNATURE_FILE), read_trusted(trusted))
    policies = parse_policies(files)
    found = _noted(policies, path)
    addresses = reach(bootstrap)
    counts = _losses(addresses, policies)
    staged = {name for name, count in counts.items() if count.share_lost > guard_share}
    applied = apply_policies(addresses, policies, operator(by), signed, staged)
    rows = [(step.policy.provider, str(step.policy.version), step.digest, step.state) for step in applied.steps]
    waits = {name: count.lose.total() if name in staged else count.waits for name, count in counts.items()}
    waits = {name: persons for name, persons in waits.items() if persons}
    for name, persons in waits.items():
        print(f"note: {name}: {persons} persons would be erased at once, and wait: approve it or not with\n"
              f"  sanctuaire policy approve {applied.change_set}", file=sys.stderr)  # fmt: skip
    notes = [note.to_json() for note in found]
    _show(rows, as_json, {"change_set": applied.change_set, "waits": waits, "notes": notes})
    if found:
        print(f"{len(found)} notes on these contracts: `sanctuaire policy check` shows them", file=sys.stderr)


def _losses(addresses: Addresses, wanted: Policies) -> Mapping[str, Count]:
    """What each provider would lose of what the filter remembers; nothing, where nothing changes."""
    require_topics_of(addresses, wanted)
    standing = read_standing(addresses)
    after = policies_after(wanted, standing)
    changed = any(policy_digest(policy) != policy_digest(after[name]) for name, policy in standing.policies.items())
    return compare(addresses, after, standing.census).counts if changed else {}


def _noted(policies: Policies, folder: Path) -> list[Note]:
    """Notes on the set, compared with its own table of needs or, where it has none, with the project's."""
    own = folder / NEEDS_FILE
    needs = read_needs(own if own.exists() else POLICIES_FOLDER / NEEDS_FILE)
    return lint(policies.values(), needs, day_in_paris(datetime.now(UTC)))


def _show(rows: Sequence[tuple[str, str, str, str]], as_json: bool, more: Mapping[str, Any]) -> None:
    if as_json:
        policies = [
            {"provider": provider, "version": int(version) if version.isdigit() else None, "digest": digest,
             "state": state}
            for provider, version, digest, state in rows
        ]  # fmt: skip
        print(json.dumps({"policies": policies, **more}))
        return
    table = Table("provider", "version", "digest", "state")
    for provider, version, digest, state in rows:
        table.add_row(provider, version, digest.removeprefix("sha256:")[:16], state)
    console = Console()
    console.print(table)
    console.print(f"set {more['change_set']}", soft_wrap=True, highlight=False)


def _show_notes(found: Sequence[Note]) -> None:
    console = Console()
    for contract in dict.fromkeys((note.provider, note.contract) for note in found):
        title = f"{contract[0]}, contract {contract[1]}"
        table = Table("", Column("where", overflow="fold"), "what, and what to do", title=title, title_justify="left")
        for note in found:
            if (note.provider, note.contract) == contract:
                table.add_row(note.level, note.where, f"{note.sentence} {note.action} ({note.code})")
        console.print(table)
