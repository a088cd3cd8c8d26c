"""(f) What a filter needs of memory whose store holds a million people."""

from ops.benchmarks.feed import Hidden
from ops.benchmarks.findings import Findings, Measured
from ops.benchmarks.great_store import SUBJECTS, Started, await_quiet, fill, prepare, started
from ops.benchmarks.households import is_renamed
from ops.benchmarks.measuring import peak_bytes
from ops.benchmarks.workbench import PARTITIONS, Workbench
from services.contract.topology import CHANGES, RELEASES

NAME = "memory"
QUICK_SUBJECTS = 500_000
"""Caches are full by then: of fewer, `per_million` would take what they hold for what a person costs."""
PATCHES, QUICK_PATCHES = 100_000, 20_000
"""Changes of people known, spread over all of the store: what it reads for them it keeps in its cache."""
MILLION = 1_000_000


def measure(bench: Workbench) -> Findings:
    """The peak of the resident memory of one process: with an empty store, after the rebuild, and after work on it."""
    subjects, patches = (QUICK_SUBJECTS, QUICK_PATCHES) if bench.quick else (SUBJECTS, PATCHES)
    fresh = prepare(bench, NAME)
    bench.say("memory: a filter that knows nobody")
    with started(bench, fresh, f"{NAME}/empty") as filter_:
        empty = _peak(filter_)
    bench.say(f"memory: {subjects} subjects")
    fill(fresh, subjects)
    with started(bench, fresh, f"{NAME}/filled") as filter_:
        rebuilt = _peak(filter_)
        hidden = Hidden(fresh.cluster.bootstrap)
        step = subjects // patches
        hidden.send(CHANGES, (is_renamed(number * step, PARTITIONS) for number in range(patches)))
        hidden.show()
        await_quiet(fresh.cluster, filter_, RELEASES, patches * len(fresh.providers))
        worked = _peak(filter_)
    return Findings(
        figures={
            f"{NAME}/{quantity}": Measured.of([value])
            for quantity, value in {
                "subjects": float(subjects),
                "empty_peak_bytes": empty,
                "rebuilt_peak_bytes": rebuilt,
                "peak_bytes": worked,
                "peak_bytes_per_million_subjects": per_million(empty, rebuilt, worked, subjects),
            }.items()
        }
    )


def _peak(filter_: Started) -> float:
    return float(peak_bytes(filter_.supervisor.pids.values()))


def per_million(empty: float, rebuilt: float, worked: float, subjects: int) -> float:
    """What a store of a million would come to, if all that the rebuild has added grew with the people in it.

    What work adds does not: batches, and caches that are bounded.
    """
    return worked + (rebuilt - empty) * (MILLION / subjects - 1)
