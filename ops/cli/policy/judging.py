"""`sanctuaire policy approve`, `refuse` and `log`: what operators did to the policies, and do."""

import json
import re
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
import typer
from rich.console import Console
from rich.table import Table

from ops.cli import exits
from ops.cli.options import AsJson, Bootstrap, By, operator
from ops.cli.policy.comparing import compare
from ops.publishing.cluster import reach, require_topics
from ops.publishing.policies import judge_change_set
from ops.publishing.standing import read_acts, read_standing
from services.contract.acts import Approval, broken_at
from services.contract.topology import FILTERING_STATE, POLICIES, POLICIES_AUDIT

commands = typer.Typer()

ChangeSet = Annotated[str, typer.Argument(metavar="SET", help="sha256:…, as `apply` and `pending` print it.")]


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Let go what the set in force erases of everybody at once, and for which somebody waits now. It speaks of "
        "exactly this set: where another one is in force, it is refused (65).",
        "sanctuaire policy approve sha256:6f1ed002ab5595859014ebf0951522d9a1e8c1bf5b1b6b1c5e5d3a4b0c0d9e8f",
    ),
)
def approve(change_set: ChangeSet, by: By = None, bootstrap: Bootstrap = None) -> None:
    _judge(change_set, "approved", by, bootstrap)


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Put on record that what the set in force erases of everybody at once must not go. It is held as before; put a "
        "corrected set in force.",
        "sanctuaire policy refuse sha256:6f1ed002ab5595859014ebf0951522d9a1e8c1bf5b1b6b1c5e5d3a4b0c0d9e8f",
    ),
)
def refuse(change_set: ChangeSet, by: By = None, bootstrap: Bootstrap = None) -> None:
    _judge(change_set, "refused", by, bootstrap)


def _judge(change_set: str, verdict: Literal["approved", "refused"], by: str | None, bootstrap: str | None) -> None:
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", change_set):
        raise typer.BadParameter("give the whole name, sha256: and 64 hexadecimal digits", param_hint="SET")
    addresses = reach(bootstrap)
    require_topics(addresses, (POLICIES, POLICIES_AUDIT, FILTERING_STATE))
    standing = read_standing(addresses)
    waiting = tuple(sorted(compare(addresses, standing.policies, standing.census).waiting))
    approval = Approval(
        change_set=change_set, contracts=waiting, verdict=verdict, by=operator(by), at=datetime.now(UTC)
    )
    judge_change_set(addresses, approval)
    print(f"{verdict} {change_set}: {', '.join(waiting) or 'nobody waited'}")


@commands.command(
    epilog=exits.EPILOGUE,
    help=exits.manual(
        "Show who put which set in force and who judged it, and check that no record was altered or taken out (65).",
        "sanctuaire policy log --bootstrap localhost:9092",
    ),
)
def log(bootstrap: Bootstrap = None, as_json: AsJson = False) -> None:
    addresses = reach(bootstrap)
    require_topics(addresses, (POLICIES_AUDIT,))
    values = read_acts(addresses)
    broken = broken_at(values)
    acts = [orjson.loads(value) for value in values[:broken]]
    if as_json:
        print(json.dumps({"acts": acts, "broken_at": broken}))
    else:
        table = Table("at", "act", "by", "signed by", "set")
        for act in acts:
            signed = act["signed"]["by"] if act["signed"] else "–"
            table.add_row(act["at"], act["act"], act["by"], signed, act["change_set"].removeprefix("sha256:")[:16])
        Console().print(table)
        if broken is not None:
            print(f"record {broken} does not follow the one before it: the log was altered there")
    raise typer.Exit(exits.OK if broken is None else exits.DATA)
