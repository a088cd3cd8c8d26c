"""`sanctuaire bench`: ours beside its peers, in one run, on one broker, on the same input."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from ops.benchmarks.findings import Findings
from ops.benchmarks.picture import draw
from ops.benchmarks.report import show
from ops.benchmarks.sections import SECTIONS
from ops.benchmarks.workbench import machine, workbench
from ops.cli import exits
from ops.cli.exits import manual

EPILOGUE = (
    "Exit codes: 0 measured (a peer that is missing is said to be missing); 1 a peer's outputs differ from ours, so "
    "that nothing can be concluded; 2 wrong usage; 69 Kafka, our stage or a peer did not run to the end; 70 a defect "
    "of the program."
)

app = typer.Typer(add_completion=False)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Measure each stage beside its peers: the same input, the same broker, the same bytes out. Starts a Kafka of "
        "its own and leaves nothing running. Sections: "
        + "; ".join(f"{name}: {section.short}" for name, section in SECTIONS.items())
        + ". Let nothing else run on the machine meanwhile, and compare figures of one run only.",
        "sanctuaire bench --quick",
        "sanctuaire bench --json figures.json --picture ops/benchmarks/figures.svg",
        "sanctuaire bench --only pseudonymisation --peers confluent,kafka-streams",
    ),
)
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="One round on less input: under five minutes.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write ratios and figures to this file.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the figures into this file (SVG).")] = None,
    only: Annotated[str | None, typer.Option(metavar="NAME,…", help="Only these sections.")] = None,
    peers: Annotated[str | None, typer.Option(metavar="NAME,…", help="Ours beside these peers only.")] = None,
) -> None:
    wanted = chosen(only)
    console = Console()
    findings = _measure(wanted, quick, _names(peers))
    show(findings, console)
    if json_file:
        json_file.write_text(json.dumps(findings.to_json(machine()), indent=2) + "\n", "utf-8")
    if picture:
        picture.write_text(draw(findings.charts), "utf-8")
    raise typer.Exit(exits.SOME_REFUSED if findings.faults else exits.OK)


def chosen(only: str | None) -> tuple[str, ...]:
    """The sections to run, in their own order.

    Raises:
        typer.BadParameter: there is no section of that name.
    """
    named = _names(only)
    if named is None:
        return tuple(SECTIONS)
    if unknown := sorted(named - SECTIONS.keys()):
        raise typer.BadParameter(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    return tuple(name for name in SECTIONS if name in named)


def _names(text: str | None) -> frozenset[str] | None:
    return None if text is None else frozenset(part.strip() for part in text.split(",") if part.strip())


def _measure(sections: tuple[str, ...], quick: bool, peers: frozenset[str] | None) -> Findings:
    """Run them one after another, with a bar on a terminal and a line a step elsewhere."""
    findings = Findings()
    screen = Console(stderr=True)
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=screen, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("", total=len(sections))

        def say(line: str) -> None:
            progress.update(task, description=line)
            if progress.disable:
                print(line, file=sys.stderr, flush=True)

        with workbench(quick, peers, say) as bench:
            for name in sections:
                findings.add(SECTIONS[name].measure(bench))
                progress.advance(task)
    return findings
