"""`sanctuaire topics`: the topics of the topology, on a cluster."""

import json
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson, Bootstrap
from ops.policy_files import POLICIES_FOLDER, provider_names
from ops.publishing.cluster import reach
from ops.topics import apply_topics, wanted_topics
from services.contract.topology import SUBJECT_PARTITIONS

app = typer.Typer(add_completion=False, help="Make and correct the topics of a Kafka cluster.")


@app.callback(no_args_is_help=True)
def topics() -> None:
    """Make and correct the topics of a Kafka cluster."""


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Make the topics that are missing and correct the configuration of those that differ. A topic with another "
        "number of partitions is refused (78), and then nothing is changed. Run it as often as you like.",
        "sanctuaire topics apply --bootstrap localhost:9092",
        "sanctuaire topics apply --partitions 4 --provider gar --provider lecture",
    ),
)
def apply(
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Of each topic keyed by a subject.")] = (
        SUBJECT_PARTITIONS
    ),
    provider: Annotated[list[str] | None, typer.Option(help="Whose topics; by default those of ops/policies.")] = None,
    replication: Annotated[int, typer.Option(min=1, max=9, help="Replicas of each partition.")] = 1,
    bootstrap: Bootstrap = None,
    as_json: AsJson = False,
) -> None:
    providers = provider or provider_names(POLICIES_FOLDER)
    wanted = wanted_topics(providers, partitions, replication)
    steps = apply_topics(reach(bootstrap), wanted, replication)
    if as_json:
        done = [{"topic": step.name, "partitions": step.partitions, "state": step.state} for step in steps]
        print(json.dumps({"topics": done}))
        return
    table = Table(Column("topic", overflow="fold"), "partitions", "state")
    for step in steps:
        corrected = f" ({', '.join(sorted(step.configs))})" if step.state == "corrected" else ""
        table.add_row(step.name, str(step.partitions), step.state + corrected)
    console = Console()
    console.print(table)
    counts = Counter(step.state for step in steps)
    console.print(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
