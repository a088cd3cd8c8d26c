"""Runs engines one after another on the same input, round by round, and measures each in the same way."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ops.benchmarks.cluster import LOOK_SECONDS, Cluster
from ops.benchmarks.comparing import Naming, Output, difference, digest_of, incomplete, repeated
from ops.benchmarks.measuring import Sample, Speed, cpu_seconds, peak_bytes, steady_part
from services.contract.errors import Unreachable

SLOWEST_RATE = 400.0
START_SECONDS = 60.0
QUIET_SECONDS = 0.5
"""How long nothing new must appear before the outputs are read back; the markers of transactions count as offsets."""


class Process(Protocol):
    """A running engine."""

    @property
    def pids(self) -> Sequence[int]: ...
    def check(self) -> None:
        """Raise Unreachable if it has ended unasked."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one engine: which round, and a folder of its own."""

    number: int
    folder: Path


class Engine(Protocol):
    """Does a stage's work from its input topic to output topics of its own."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def share(self) -> float:
        """Which part of the outputs is waited for: less than 1 for who would take minutes at a constant rate."""

    @property
    def same_partition(self) -> bool:
        """Whether it can write to the partition that it reads."""

    def missing(self) -> str | None:
        """Why it cannot run here."""

    def topics(self, run: Run) -> Mapping[str, str]:
        """Provider → where it writes; made anew before it starts."""

    def start(self, run: Run) -> AbstractContextManager[Process]:
        """Start it on an input that is there already; leaving the context ends it and forgets its traces."""


@dataclass(frozen=True, slots=True)
class Result:
    """One run: how fast, on how much memory, and whether the work is the same."""

    engine: str
    speed: Speed
    peak_bytes: int
    repeated: int
    fault: str | None


@dataclass(frozen=True, slots=True)
class Contest:
    """All engines of one stage; the first is ours, and what the others are held to."""

    cluster: Cluster
    broker_pid: int
    engines: Sequence[Engine]
    expected: int
    folder: Path
    say: Callable[[str], None]
    naming: Callable[[], Naming] = lambda: digest_of
    """Made anew for every reading: in what two records must agree to be the same."""
    is_warm: bool = False
    """Whether the broker has done such work before."""

    def run(self, rounds: int) -> list[Result]:
        """Every engine once a round, in turned order every second time; on a cold broker the first once more before.

        A broker that has just started does the same work at twice the cost: whoever came first would pay for all.
        """
        results, reference = [], None
        if not self.is_warm:
            first = self.engines[0]
            self.say(f"warming up: {first.title}")
            warming, reference = self._run(first, Run(0, self.folder / "warming-up"), None)
            results += [warming] if warming.fault else []
        for number in range(rounds):
            for engine in self.engines if number % 2 == 0 else reversed(self.engines):
                self.say(f"round {number + 1} of {rounds}: {engine.title}")
                run = Run(number, self.folder / f"{engine.name}-{number}")
                result, outputs = self._run(engine, run, reference)
                results.append(result)
                reference = reference or outputs
        return results

    def _run(self, engine: Engine, run: Run, reference: list[Output] | None) -> tuple[Result, list[Output]]:
        run.folder.mkdir(parents=True)
        topics = engine.topics(run)
        wanted = max(1, int(self.expected * engine.share))
        with engine.start(run) as process:
            samples, outputs = self.watch(process, topics, wanted)
            peak = peak_bytes(process.pids)
        speed = steady_part(samples, outputs, wanted)
        if speed is None:
            raise Unreachable(f"{engine.title}: too fast, or the input too short, to measure")
        if reference is None:
            fault = incomplete(outputs, self.expected)
        else:
            fault = difference(reference, outputs, whole=engine.share >= 1, same_partition=engine.same_partition)
        return Result(engine.name, speed, peak, repeated(outputs), fault), outputs

    def watch(self, process: Process, topics: Mapping[str, str], wanted: int) -> tuple[list[Sample], list[Output]]:
        """Look until all that is wanted is visible; the outputs are read while the engine still runs, idle."""
        places = self.cluster.places(topics.values())
        deadline = time.monotonic() + START_SECONDS + wanted / SLOWEST_RATE
        samples: list[Sample] = []
        grown = time.monotonic()
        while time.monotonic() < deadline:
            process.check()
            sample = self._look(process, places)
            if samples and sample.ends != samples[-1].ends:
                grown = sample.at
            samples.append(sample)
            total = sum(sample.ends.values())
            enough = total >= wanted and (wanted < self.expected or sample.at - grown > QUIET_SECONDS)
            if enough and len(outputs := self.cluster.outputs(topics, self.naming())) >= wanted:
                return samples, outputs
            time.sleep(LOOK_SECONDS)
        raise Unreachable(f"only {sum(samples[-1].ends.values())} of {wanted} outputs came in time")

    def _look(self, process: Process, places: Sequence[tuple[str, int]]) -> Sample:
        ends = self.cluster.ends(places)
        return Sample(time.monotonic(), ends, cpu_seconds(process.pids), cpu_seconds([self.broker_pid]))
