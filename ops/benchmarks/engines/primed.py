"""An engine with something to remember first: it is handed its input once it has kept what that is joined with."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from confluent_kafka import KafkaException

from ops.benchmarks.cluster import LOOK_SECONDS, Cluster
from ops.benchmarks.contest import Engine, Process, Run
from ops.benchmarks.schools import Emission
from ops.topics import Topics, apply_topics
from services.contract.errors import Unreachable

LONGEST_SECONDS = 120.0
QUIET_SECONDS = 1.5
"""How long the changelog must not have grown: longer than any of them takes to write again."""


@dataclass(frozen=True, slots=True)
class Feed:
    """The input that is measured, and what must be remembered before."""

    cluster: Cluster
    topic: Topics
    """The one topic of the input: empty when an engine starts."""
    input: Callable[[], Iterable[Emission]]
    remembered: int
    """How many keys the changelog holds at least once everything is kept."""


@dataclass(frozen=True, slots=True)
class Primed:
    """Any engine (contest.Engine), measured from when it remembers and is idle."""

    engine: Engine
    feed: Feed
    changelog: Callable[[Run], str]
    """Where a run of it keeps what it remembers."""

    @property
    def name(self) -> str:
        return self.engine.name

    @property
    def title(self) -> str:
        return self.engine.title

    @property
    def share(self) -> float:
        return self.engine.share

    @property
    def same_partition(self) -> bool:
        return self.engine.same_partition

    def missing(self) -> str | None:
        return self.engine.missing()

    def topics(self, run: Run) -> Mapping[str, str]:
        return self.engine.topics(run)

    @contextmanager
    def start(self, run: Run) -> Iterator[Process]:
        """Start it beside an empty input, and fill that at one stroke: no engine shares the cores with its filling."""
        cluster = self.feed.cluster
        cluster.drop(self.feed.topic)
        apply_topics([cluster.bootstrap], self.feed.topic)
        cluster.await_leaders(self.feed.topic)
        with self.engine.start(run) as process:
            self._await_remembered(process, self.changelog(run))
            for name in self.feed.topic:
                cluster.send_at_once(name, self.feed.input())
            yield process

    def _await_remembered(self, process: Process, changelog: str) -> None:
        cluster = self.feed.cluster
        deadline = time.monotonic() + LONGEST_SECONDS
        grown, kept = time.monotonic(), 0
        while kept < self.feed.remembered or time.monotonic() - grown < QUIET_SECONDS:
            process.check()
            if time.monotonic() > deadline:
                raise Unreachable(f"{self.title}: only {kept} of {self.feed.remembered} were kept in time")
            if changelog in cluster.topics():
                # A topic is listed a moment before it can be read.
                with suppress(KafkaException):
                    now = sum(cluster.ends(cluster.places([changelog])).values())
                    grown, kept = (time.monotonic(), now) if now != kept else (grown, kept)
            time.sleep(LOOK_SECONDS)
