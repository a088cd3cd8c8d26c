"""`sanctuaire census`: count every roster, and say what may leave of places and of the labels of groups."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ops.census_counts import RosterCounts
from ops.census_tables import Tables, tables_of
from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, Bootstrap, By, operator
from ops.cli.progress import reading
from ops.publishing.census import pairs_of, publish_census
from ops.publishing.cluster import reach, require_topics
from ops.publishing.filter_state import count_state
from ops.publishing.standing import read_standing
from services.contract.census import Census
from services.contract.topology import FILTERING_STATE, POLICIES, POLICIES_AUDIT
from services.filtering.gazetteer_file import load_gazetteer

app = typer.Typer(add_completion=False)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Count the pupils of each contract by place and by group, over all that the filter remembers, and put in force "
        "which communes, départements and régions (11 pupils and 2,000 inhabitants at least) may be released, and "
        "which groups (5 pupils at least) keep their label. Before a first census neither leaves. Everybody concerned "
        "is then decided again. Within an epoch nothing becomes finer than it was; --new-epoch begins another, once a "
        "school year. It tells numbers only, and names nobody.",
        "sanctuaire census --bootstrap localhost:9092",
        "sanctuaire census --new-epoch --by 'DPO of the académie'",
    ),
)
def census(
    new_epoch: Annotated[bool, typer.Option("--new-epoch", help="Let places and labels become finer again.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count, and put nothing in force.")] = False,
    by: By = None,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    addresses = reach(bootstrap)
    require_topics(addresses, (POLICIES, POLICIES_AUDIT, FILTERING_STATE))
    standing, now = read_standing(addresses), datetime.now(UTC)
    counts = RosterCounts(standing.policies, load_gazetteer, now)
    with reading("counting what the filter remembers") as progress:
        count_state(addresses, counts, progress)
    tables = tables_of(
        standing.policies, counts.counts, standing.census, load_gazetteer(), now, new_epoch=new_epoch
    )  # fmt: skip
    if tables and not dry_run:
        publish_census(addresses, tables, standing, operator(by))
    document = _document(tables, counts)
    if as_json:
        print(json.dumps({"put_in_force": bool(tables) and not dry_run, "contracts": document}))
    else:
        _show(document, changed=bool(tables), dry_run=dry_run)


def _document(tables: Tables, counts: RosterCounts) -> dict[str, Any]:
    """Numbers by contract; the cells only of the tables that differ from those in force."""
    told = frozenset(pairs_of(tables))
    document: dict[str, Any] = {}
    for pair, known in counts.counts.items():
        provider, _, contract = pair.partition("/")
        mine = [table for table in tables if table.provider == provider]
        places = next((t.cells[contract] for t in mine if isinstance(t, Census) and contract in t.cells), None)
        document[pair] = {
            "pupils_with_a_place": known.places.total(),
            "without": dict(sorted(counts.hidden[pair].items())),
            "changed": pair in told,
            "epoch": max((table.epoch for table in mine), default=None),
            "places": places and {name: len(codes) for name, codes in places.model_dump().items()},
            "groups": len(known.groups),
            "groups_with_a_label": sum(
                len(codes) for t in mine if not isinstance(t, Census) for codes in t.groups.get(contract, {}).values()
            ) if any(not isinstance(t, Census) for t in mine) else None,
        }  # fmt: skip
    return document


def _show(document: Mapping[str, Any], *, changed: bool, dry_run: bool) -> None:
    table = Table(
        "contract", "pupils", "without a place", "communes", "départements", "régions", "groups", "with label"
    )
    for pair, said in document.items():
        places = said["places"] or {}
        without = ", ".join(f"{count} {reason}" for reason, count in said["without"].items())
        labels = said["groups_with_a_label"]
        table.add_row(
            pair, str(said["pupils_with_a_place"]), without or "–",
            *(str(places.get(name, "as before")) for name in ("communes", "departements", "regions")),
            str(said["groups"]), "as before" if labels is None else str(labels),
        )  # fmt: skip
    console = Console()
    console.print(table)
    if not changed:
        console.print("nothing differs from what is in force")
    elif dry_run:
        console.print("a dry run: nothing was put in force")
