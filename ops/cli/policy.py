"""`sanctuaire policy`: check a folder of policies, and put it in force."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, Bootstrap
from ops.policy_files import POLICIES_FOLDER, Policies, notes, read_policies
from ops.publishing.cluster import reach, require_topics
from ops.publishing.policies import apply_policies
from services.contract.policies import policy_digest
from services.contract.topology import POLICIES

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Check the policies, and put them in force.")

Folder = Annotated[
    Path, typer.Argument(exists=True, file_okay=False, help="perimeter.yaml, and one <provider>.yaml a provider.")
]


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Read a folder of policies as `apply` would, and say what is wrong or doubtful. A set with one error is "
        "refused whole (65); notes are not errors.",
        "sanctuaire policy check ops/policies",
    ),
)
def check(path: Folder = POLICIES_FOLDER, as_json: AsJson = False) -> None:
    policies = read_policies(path)
    found = _noted(policies)
    rows = [(name, "–", policy_digest(policy), "sound") for name, policy in policies.items()]
    _show(rows, found, as_json)


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
    found = _noted(policies)
    addresses = reach(bootstrap)
    require_topics(addresses, (POLICIES,))
    steps = apply_policies(addresses, policies)
    rows = [(step.policy.provider, str(step.policy.version), step.digest, step.state) for step in steps]
    _show(rows, found, as_json)


def _noted(policies: Policies) -> list[str]:
    found = notes(policies)
    for note in found:
        print(f"note: {note}", file=sys.stderr)
    return found


def _show(rows: Sequence[tuple[str, str, str, str]], found: list[str], as_json: bool) -> None:
    if as_json:
        policies = [
            {"provider": provider, "version": int(version) if version.isdigit() else None, "digest": digest,
             "state": state}
            for provider, version, digest, state in rows
        ]  # fmt: skip
        print(json.dumps({"policies": policies, "notes": found}))
        return
    table = Table("provider", "version", "digest", "state")
    for provider, version, digest, state in rows:
        table.add_row(provider, version, digest.removeprefix("sha256:")[:16], state)
    Console().print(table)
