"""`sanctuaire policy diff` and `pending`: what a set would change for everybody the filter remembers."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, Bootstrap
from ops.cli.policy.arguments import Folder
from ops.cli.progress import reading
from ops.policy_diff import Comparison, Count
from ops.policy_files import POLICIES_FOLDER, Policies, plan, read_policies
from ops.publishing.cluster import Addresses, reach, require_topics
from ops.publishing.filter_state import count_state
from ops.publishing.standing import Standing, read_standing
from services.contract.censuses import CensusBook
from services.contract.policies import change_set, day_in_paris, policy_digest
from services.contract.topology import FILTERING_STATE, POLICIES
from services.filtering.gazetteer_file import load_gazetteer
from services.filtering.generalisation import Counted

commands = typer.Typer()


@commands.command(
    epilog=EPILOGUE,
    help=manual(
        "Say how many persons each provider would gain, lose and keep under a folder of policies, and by which rule: a "
        "dry run of the filter's own rules over all that it remembers. Changes nothing, and names nobody.",
        "sanctuaire policy diff ops/policies --bootstrap localhost:9092",
    ),
)
def diff(path: Folder = POLICIES_FOLDER, bootstrap: Bootstrap = None, as_json: AsJson = False) -> None:
    wanted = read_policies(path)
    addresses = reach(bootstrap)
    require_topics(addresses, (POLICIES, FILTERING_STATE))
    standing = read_standing(addresses)
    after = policies_after(wanted, standing)
    compared = compare(addresses, after, standing.census)
    sets = {
        "in_force": standing.change_set,
        "change_set": change_set({name: policy_digest(policy) for name, policy in after.items()}),
    }
    if as_json:
        print(json.dumps({**sets, "subjects": compared.subjects, "providers": _providers(compared.counts)}))
        return
    _show(compared.counts)


@commands.command(
    epilog=EPILOGUE,
    help=manual(
        "Say what the policies in force would erase of everybody at once, and how many persons wait for it: nothing of "
        "it goes before `sanctuaire policy approve SET`.",
        "sanctuaire policy pending --bootstrap localhost:9092",
    ),
)
def pending(bootstrap: Bootstrap = None, as_json: AsJson = False) -> None:
    addresses = reach(bootstrap)
    require_topics(addresses, (POLICIES, FILTERING_STATE))
    standing = read_standing(addresses)
    compared = compare(addresses, standing.policies, standing.census)
    judged = standing.approval
    verdict = judged.verdict if judged and judged.change_set == standing.change_set else None
    waiting = {name: count for name, count in compared.counts.items() if count.waits}
    if as_json:
        shown = {name: {"waits": count.waits, "by": dict(count.lose)} for name, count in waiting.items()}
        print(json.dumps({"change_set": standing.change_set, "verdict": verdict, "providers": shown}))
        return
    console = Console()
    console.print(f"set {standing.change_set}: {verdict or 'not judged'}", soft_wrap=True, highlight=False)
    table = Table("provider", "persons", "would be erased by")
    for name, count in waiting.items():
        table.add_row(name, str(count.waits), _reasons(count.lose))
    console.print(table if waiting else "nobody waits")


def policies_after(wanted: Policies, standing: Standing) -> Policies:
    """The whole set that would be in force, those left included."""
    steps = plan(wanted, standing.policies, day_in_paris(datetime.now(UTC)))
    return {step.policy.provider: step.policy for step in steps}


def compare(addresses: Addresses, policies: Policies, census: CensusBook) -> Comparison:
    """What these policies would change of what the filter remembers now."""
    compared = Comparison(policies, datetime.now(UTC), Counted(census, load_gazetteer))
    with reading("reading the filter's state") as progress:
        count_state(addresses, compared, progress)
    return compared


def _providers(counts: Mapping[str, Count]) -> dict[str, Any]:
    return {
        name: {
            **{
                kind: {"persons": by_reason.total(), "by": dict(sorted(by_reason.items()))}
                for kind, by_reason in (("gain", count.gain), ("lose", count.lose), ("keep", count.keep))
            },
            "changed": count.changed,
            "waits": count.waits,
        }
        for name, count in counts.items()
    }


def _show(counts: Mapping[str, Count]) -> None:
    table = Table("provider", "", "persons", "by")
    for name, count in counts.items():
        table.add_row(name, "gain", str(count.gain.total()), _reasons(count.gain))
        waits = f" ({count.waits} once approved)" if count.waits else ""
        table.add_row("", "lose", f"{count.lose.total()}{waits}", _reasons(count.lose))
        changed = f" ({count.changed} other fields)" if count.changed else ""
        table.add_row("", "keep", f"{count.keep.total()}{changed}", _reasons(count.keep))
    Console().print(table)


def _reasons(by_reason: Counter[str]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in by_reason.most_common())
