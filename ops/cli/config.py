"""`sanctuaire config check`: everything that must be right before the services start, in one table."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from ops import keys
from ops.cli import exits
from ops.cli.options import AsJson, Bootstrap
from ops.cli.settings import PREFIX, Finding, check_bootstrap, check_settings
from ops.policy_files import POLICIES_FOLDER, provider_names
from ops.publishing.cluster import Addresses, reach
from ops.publishing.standing import read_standing
from ops.topics import found_topics, wanted_topics
from services.contract.errors import SanctuaireError, Unreachable
from services.contract.topology import POLICIES, SUBJECT_PARTITIONS

app = typer.Typer(add_completion=False, help="Check settings, keys, cluster, topics and policies.")


@app.callback(no_args_is_help=True)
def config() -> None:
    """Check settings, keys, cluster, topics and policies."""


@app.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Look at every setting, the key files, the cluster, its topics and the policies in force, and say what to do "
        "about each that is not as it should be. Changes nothing, and shows no secret.",
        "sanctuaire config check --bootstrap localhost:9092",
    ),
)
def check(
    partitions: Annotated[int, typer.Option(min=1, help="Of each topic keyed by a subject.")] = SUBJECT_PARTITIONS,
    provider: Annotated[list[str] | None, typer.Option(help="By default those of ops/policies.")] = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    findings = [*check_settings(os.environ), *_keyring()]
    named = check_bootstrap(bootstrap)
    findings.append(named)
    away = False
    if named.ok:
        cluster, addresses = _cluster(bootstrap)
        findings.append(cluster)
        away = addresses is None
        if addresses is not None:
            findings += _topics(addresses, provider or provider_names(POLICIES_FOLDER), partitions)
    _show(findings, as_json)
    if any(not finding.ok for finding in findings if finding.what != "cluster"):
        raise typer.Exit(exits.SETTINGS)
    raise typer.Exit(exits.UNAVAILABLE if away else exits.OK)


def _keyring() -> list[Finding]:
    files = [os.environ.get(f"{PREFIX}{name}") for name in ("KEYRING_FILE", "KEY_ENCRYPTION_KEY_FILE")]
    if not files[0] or not files[1]:
        return []
    try:
        found = keys.load(Path(files[0]), Path(files[1]))
    except SanctuaireError as error:
        return [Finding("keyring", "wrong", str(error))]
    return [Finding("keyring", f"epoch {found.active_epoch.number} active")]


def _cluster(bootstrap: str | None) -> tuple[Finding, Addresses | None]:
    try:
        addresses = reach(bootstrap)
    except Unreachable as error:
        return Finding("cluster", "no answer", str(error)), None
    return Finding("cluster", "answers"), addresses


def _topics(addresses: Addresses, providers: Sequence[str], partitions: int) -> list[Finding]:
    wanted = wanted_topics(providers, partitions)
    found = found_topics(addresses, wanted)
    findings = []
    for name, topic in wanted.items():
        if name not in found:
            findings.append(Finding(name, "missing", "run `sanctuaire topics apply`"))
        elif found[name].partitions != topic.partitions:
            remedy = f"{topic.partitions} are wanted; give --partitions as the cluster has it, or make it again"
            findings.append(Finding(name, f"{found[name].partitions} partitions", remedy))
        else:
            findings.append(Finding(name, f"{topic.partitions} partitions"))
    if POLICIES in found:
        in_force = read_standing(addresses).policies
        remedy = "" if in_force else "nobody may receive anything; run `sanctuaire policy apply`"
        findings.append(Finding("policies in force", str(len(in_force)), remedy))
    return findings


def _show(findings: Sequence[Finding], as_json: bool) -> None:
    if as_json:
        rows = [{"what": f.what, "ok": f.ok, "state": f.state, "remedy": f.remedy} for f in findings]
        print(json.dumps({"ok": all(f.ok for f in findings), "findings": rows}))
        return
    table = Table("", Column("what", overflow="fold"), "state", "what to do")
    for finding in findings:
        table.add_row("ok" if finding.ok else "!", finding.what, finding.state, finding.remedy)
    Console().print(table)
