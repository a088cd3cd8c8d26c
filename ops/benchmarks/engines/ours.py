"""Ours: the real stage, started as `sanctuaire up` starts it, with its transactions, state, audit and checks."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops.benchmarks.cluster import Cluster
from ops.benchmarks.contest import Run
from ops.supervisor import Service, Supervisor
from ops.topics import Topics, apply_topics


@dataclass(frozen=True, slots=True)
class StageProcess:
    """One stage under the supervisor."""

    _supervisor: Supervisor

    @property
    def pids(self) -> Sequence[int]:
        return tuple(self._supervisor.pids.values())

    def check(self) -> None:
        self._supervisor.check()


@dataclass(frozen=True, slots=True)
class Stage:
    """One of our stages (contest.Engine)."""

    services: tuple[Service, ...]
    """Its workers: Python decides on one core in each."""
    cluster: Cluster
    written: Topics
    """Every topic that it writes, its state and audit included: made anew for each run, for it starts from nothing."""
    outputs: Mapping[str, str]
    group: str
    name: str = "sanctuaire"
    title: str = "Sanctuaire"
    share: float = 1.0
    same_partition: bool = True

    def missing(self) -> str | None:
        return None

    def topics(self, _run: Run) -> Mapping[str, str]:
        return self.outputs

    @contextmanager
    def start(self, run: Run) -> Iterator[StageProcess]:
        self.cluster.drop(self.cluster.topics() & self.written.keys())
        self.cluster.drop_group(self.group)
        apply_topics([self.cluster.bootstrap], self.written)
        self.cluster.await_leaders(self.outputs.values())
        with Supervisor(services=self.services, folder=Path(run.folder)) as supervisor:
            yield StageProcess(supervisor)
