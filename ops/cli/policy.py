"""`sanctuaire policy`: check a folder of policies, and put it in force."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, Bootstrap
from ops.linting.contracts import lint
from ops.linting.needs import NEEDS_FILE, read_needs
from ops.linting.notes import Note
from ops.policy_files import POLICIES_FOLDER, Policies, read_policies
from ops.publishing.cluster import reach, require_topics
from ops.publishing.policies import apply_policies
from services.contract.policies import day_in_paris, policy_digest
from services.contract.topology import POLICIES

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Check the policies, and put them in force.")

Folder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="perimeter.yaml, and one <provider>.yaml a provider.")
]


@app.command(
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
    _show(rows, found, as_json)
    if found and not as_json:
        _show_notes(found)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Put a folder of policies in force: those whose content differs get the next version, all in one transaction. "
        "A set with an error is refused whole, and the old one stays. A provider without a file keeps its policy.",
        "sanctuaire policy apply ops/policies --bootstrap localhost:9092",
    ),
)
def apply(path: Folder = POLICIES_FOLDER, bootstrap: Bootstrap = None, as_json: AsJson = False) -> None:
    policies = read_policies(path)
    found = _noted(policies, path)
    addresses = reach(bootstrap)
    require_topics(addresses, (POLICIES,))
    steps = apply_policies(addresses, policies)
    rows = [(step.policy.provider, str(step.policy.version), step.digest, step.state) for step in steps]
    _show(rows, found, as_json)
    if found:
        print(f"{len(found)} notes on these contracts: `sanctuaire policy check` shows them", file=sys.stderr)


def _noted(policies: Policies, folder: Path) -> list[Note]:
    """Notes on the set, compared with its own table of needs or, where it has none, with the project's."""
    own = folder / NEEDS_FILE
    needs = read_needs(own if own.exists() else POLICIES_FOLDER / NEEDS_FILE)
    return lint(policies.values(), needs, day_in_paris(datetime.now(UTC)))


def _show(rows: Sequence[tuple[str, str, str, str]], found: Sequence[Note], as_json: bool) -> None:
    if as_json:
        policies = [
            {"provider": provider, "version": int(version) if version.isdigit() else None, "digest": digest,
             "state": state}
            for provider, version, digest, state in rows
        ]  # fmt: skip
        print(json.dumps({"policies": policies, "notes": [note.to_json() for note in found]}))
        return
    table = Table("provider", "version", "digest", "state")
    for provider, version, digest, state in rows:
        table.add_row(provider, version, digest.removeprefix("sha256:")[:16], state)
    Console().print(table)


def _show_notes(found: Sequence[Note]) -> None:
    console = Console()
    for contract in dict.fromkeys((note.provider, note.contract) for note in found):
        title = f"{contract[0]}, contract {contract[1]}"
        table = Table("", Column("where", overflow="fold"), "what, and what to do", title=title, title_justify="left")
        for note in found:
            if (note.provider, note.contract) == contract:
                table.add_row(note.level, note.where, f"{note.sentence} {note.action} ({note.code})")
        console.print(table)
