"""A filter that remembers a great many people: its changelog as if it had written it, and its start on that."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from ops.benchmarks.bench_policies import bench_policies
from ops.benchmarks.cluster import Cluster
from ops.benchmarks.feed import Hidden
from ops.benchmarks.fresh import READY_SECONDS, Fresh, await_empty
from ops.benchmarks.households import Message, remembered
from ops.benchmarks.workbench import PARTITIONS, Workbench
from ops.policy_files import Policies
from ops.supervisor import Supervisor
from services.contract.topology import FILTERING_STATE
from services.filtering.agent import FilteringAgent
from services.filtering.subject import SUBJECT
from services.runtime.policies import PolicyBook
from services.runtime.state import SWEEP

SUBJECTS, QUICK_SUBJECTS = 1_000_000, 200_000


@dataclass(frozen=True, slots=True)
class Started:
    """A filter that is ready."""

    supervisor: Supervisor
    seconds: float
    """From its start until it was."""

    def rebuilding_seconds(self) -> float:
        """From the first partition's first look at the changelog to the last one's end, by its own journal."""
        said = self.supervisor.logs["filtering"].read_bytes().splitlines()
        lines = [orjson.loads(line) for line in said if line.startswith(b"{")]
        rebuilt = [
            (datetime.fromisoformat(line["at"]).timestamp(), line["seconds"])
            for line in lines
            if line["event"] == "rebuilt"
        ]
        return float(max(at for at, _ in rebuilt) - min(at - seconds for at, seconds in rebuilt))


def prepare(bench: Workbench, name: str) -> Fresh:
    fresh = Fresh.on(bench, name, bench_policies())
    # Whoever comes back within his session has the partitions that there were, be there others by now.
    await_empty(fresh.cluster, FilteringAgent.group)
    return fresh


def fill(fresh: Fresh, subjects: int) -> None:
    """Write the state of so many, committed, and that nobody is due to be decided again."""
    hidden = Hidden(fresh.cluster.bootstrap)
    hidden.send(FILTERING_STATE, _entries(fresh.policies, subjects))
    hidden.show()


def _entries(policies: Policies, subjects: int) -> Iterator[Message]:
    for partition, ine, state in remembered(range(subjects), policies.values(), PARTITIONS):
        yield Message(partition, SUBJECT + ine, state, [])
    swept = _token(policies) + b" end"
    for partition in range(PARTITIONS):
        yield Message(partition, SWEEP, swept, [])


def _token(policies: Policies) -> bytes:
    book = PolicyBook("filtering")
    for name, policy in policies.items():
        book.apply(name.encode(), policy.model_dump_json(by_alias=True).encode())
    return FilteringAgent(book).sweep_token(datetime.now(UTC))


@contextmanager
def started(bench: Workbench, fresh: Fresh, run: str) -> Iterator[Started]:
    """Start the filter in a folder of its own, on what the changelog holds; yields once it is ready."""
    began = time.monotonic()
    with Supervisor(services=fresh.services("filtering"), folder=bench.folder / run) as supervisor:
        supervisor.wait_ready(READY_SECONDS, PARTITIONS)
        yield Started(supervisor, time.monotonic() - began)


def await_quiet(cluster: Cluster, filter_: Started, topic: str, wanted: int) -> None:
    """Return once so many offsets are visible on the topic and no more come."""
    deadline, grown, last = time.monotonic() + READY_SECONDS, time.monotonic(), -1
    while time.monotonic() < deadline:
        filter_.supervisor.check()
        total = sum(cluster.ends(cluster.places([topic])).values())
        if total != last:
            grown, last = time.monotonic(), total
        elif total >= wanted and time.monotonic() - grown > 0.5:
            return
        time.sleep(0.1)
