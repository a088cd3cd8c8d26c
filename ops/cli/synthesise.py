"""`sanctuaire synthesise`: an invented export, for a demonstration or a load test."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from ops.cli.exits import EPILOGUE, manual
from ops.cli.options import AsJson
from ops.synthesis import Synthesis
from ops.synthesis import synthesise as write_export
from ops.synthesis.writing import Encoding

app = typer.Typer(add_completion=False)


@app.command(
    epilog=EPILOGUE,
    help=manual(
        "Write an AAF export of invented people. The same arguments give the same bytes; a pupil takes about 5 kB, "
        "her guardians included.",
        "sanctuaire synthesise run/export --schools 3 --seed 7 --delta",
    ),
)
def synthesise(  # noqa: PLR0917  # typer passes them by name
    out: Annotated[Path, typer.Argument(file_okay=False, help="The folder to write to.")],
    schools: Annotated[int, typer.Option(min=1, max=60_000)] = 1,
    seed: Annotated[int, typer.Option(min=0)] = 1,
    delta: Annotated[bool, typer.Option("--delta", help="Write the night after, too.")] = False,
    encoding: Annotated[Encoding, typer.Option()] = "UTF-8",
    pupils_per_school: Annotated[int, typer.Option(min=1, max=5000)] = 300,
    as_json: AsJson = False,
) -> None:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        progress.add_task(f"{schools} schools of {pupils_per_school} pupils")
        written = write_export(schools, seed, delta, encoding, out, pupils_per_school=pupils_per_school)
    if as_json:
        print(json.dumps(_to_json(written)))
        return
    for file in written.files:
        print(file)
    print(f"{sum(written.counts.values())} requests in {len(written.files)} files", file=sys.stderr)


def _to_json(written: Synthesis) -> dict[str, object]:
    counts = [
        {"set": form, "request": request, "part": part, "count": count}
        for (form, request, part), count in sorted(written.counts.items())
    ]
    return {"files": [str(file) for file in written.files], "requests": counts}
