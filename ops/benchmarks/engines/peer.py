"""What all peers share: topics and a group of their own for each run, the job in a file, and nothing left behind."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ops.benchmarks.cluster import Cluster
from ops.benchmarks.contest import Run
from ops.benchmarks.engines.job import Job
from ops.benchmarks.engines.process import PeerProcess, running

REPOSITORY = Path(__file__).parents[3]


def nothing_missing() -> str | None:
    """It needs only what the benchmark itself runs on."""
    return None


def python_command(module: str) -> Callable[[Path], Sequence[str]]:
    """A peer in this process's own environment."""
    return lambda job: (sys.executable, "-m", f"ops.benchmarks.engines.{module}", str(job))


@dataclass(frozen=True, slots=True)
class Peer:
    """One peer (contest.Engine); `command` says how it is started on the file of a job."""

    name: str
    title: str
    command: Callable[[Path], Sequence[str]]
    cluster: Cluster
    job: Job
    """For every run alike, but for topics, group and folder."""
    share: float = 1.0
    same_partition: bool = True
    missing: Callable[[], str | None] = nothing_missing

    def topics(self, run: Run) -> Mapping[str, str]:
        return {provider: f"{self.own(run)}.{provider}" for provider in self.job.outputs}

    @contextmanager
    def start(self, run: Run) -> Iterator[PeerProcess]:
        own = self.own(run)
        outputs = self.topics(run)
        before = self.cluster.topics()
        self.cluster.make(outputs.values())
        self.cluster.await_leaders(outputs.values())
        job = replace(self.job, group=own, outputs=outputs, folder=str(run.folder / "state"))
        Path(job.folder).mkdir()
        try:
            command = self.command(job.write(run.folder / "job.json"))
            with running(command, run.folder, {"PYTHONPATH": str(REPOSITORY)}) as process:
                yield process
        finally:
            # Its changelogs and repartition topics too.
            self.cluster.drop(self.cluster.topics() - before)
            self.cluster.drop_group(own)

    def own(self, run: Run) -> str:
        """Its group, and what its topics' names begin with."""
        return f"bench-{self.name}-{run.number}"
