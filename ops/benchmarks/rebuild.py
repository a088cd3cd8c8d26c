"""(g) How fast a filter without its store takes up what its changelog holds."""

from ops.benchmarks.findings import Findings, Measured
from ops.benchmarks.great_store import QUICK_SUBJECTS, SUBJECTS, fill, prepare, started
from ops.benchmarks.workbench import Workbench

NAME = "rebuild"
ROUNDS, QUICK_ROUNDS = 2, 1


def measure(bench: Workbench) -> Findings:
    """Each round starts on an empty disk; interpreter, policies and the group's assignment count beside the rate."""
    subjects = QUICK_SUBJECTS if bench.quick else SUBJECTS
    fresh = prepare(bench, NAME)
    bench.say(f"rebuild: {subjects} subjects")
    fill(fresh, subjects)
    rates, seconds = [], []
    for number in range(QUICK_ROUNDS if bench.quick else ROUNDS):
        with started(bench, fresh, f"{NAME}/{number}") as filter_:
            rates.append(subjects / filter_.rebuilding_seconds())
            seconds.append(filter_.seconds)
    return Findings(
        figures={
            f"{NAME}/subjects_per_second": Measured.of(rates),
            f"{NAME}/seconds_to_ready": Measured.of(seconds),
        }
    )
