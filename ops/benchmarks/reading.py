"""(h) How fast an AAF export of a gigabyte is read, and in how much memory: in a process that does nothing else."""

import subprocess  # one child, ours
from pathlib import Path

import orjson

from ops.benchmarks.engines.peer import python_command
from ops.benchmarks.findings import Findings, Measured
from ops.benchmarks.workbench import Workbench
from ops.synthesis import synthesise

NAME = "reading"
SCHOOLS, QUICK_SCHOOLS = 720, 44
"""Of 300 pupils: 1.4 MB each, with their families and teachers."""
ROUNDS, QUICK_ROUNDS = 2, 1
ONE_FILE = 1_000_000_000
SEED = 7


def measure(bench: Workbench) -> Findings:
    """One file for each kind of record, far longer than a true slice: the worst for whoever keeps a file in memory."""
    folder = bench.folder / NAME
    bench.say("reading: writing the export")
    schools = QUICK_SCHOOLS if bench.quick else SCHOOLS
    written = synthesise(schools, SEED, delta=False, encoding="UTF-8", out=folder, slice_records=ONE_FILE)
    size = sum(file.stat().st_size for file in written.files)
    bench.say(f"reading: {size / 1e6:.0f} MB")
    runs = [_read_in_child(folder) for _ in range(QUICK_ROUNDS if bench.quick else ROUNDS)]
    return Findings(
        figures={
            f"{NAME}/megabytes_per_second": Measured.of([size / 1e6 / run["seconds"] for run in runs]),
            f"{NAME}/changes_per_second": Measured.of([run["changes"] / run["seconds"] for run in runs]),
            f"{NAME}/peak_bytes": Measured.of([run["peak_bytes"] for run in runs]),
            f"{NAME}/read_bytes": Measured.of([float(size)]),
        }
    )


def _read_in_child(folder: Path) -> dict[str, float]:
    said = subprocess.run(python_command("aaf_reader")(folder), check=True, stdout=subprocess.PIPE).stdout
    measured: dict[str, float] = orjson.loads(said)
    return measured
