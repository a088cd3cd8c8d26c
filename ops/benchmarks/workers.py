"""(e) Pseudonymisation with one, two and four processes over the same four partitions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ops.benchmarks.bench_policies import bench_policies
from ops.benchmarks.contest import Run
from ops.benchmarks.engines.ours import StageProcess
from ops.benchmarks.feed import Hidden
from ops.benchmarks.findings import Bar, Chart, Findings, Measured
from ops.benchmarks.fresh import READY_SECONDS, Fresh, await_empty, without_seat
from ops.benchmarks.households import Message
from ops.benchmarks.schools import emissions
from ops.benchmarks.workbench import PARTITIONS, Workbench
from ops.supervisor import Supervisor
from ops.topics import Topics, apply_topics, wanted_topics
from services.contract.topology import OPERATIONS, RELEASES, expand, named_for

NAME = "workers"
COUNTS = (1, 2, 4)
STAGE, GROUP = "pseudonymisation", "sanctuaire-pseudonymisation"
PUPILS, QUICK_PUPILS = 150_000, 30_000
ROUNDS, QUICK_ROUNDS = 2, 1


@dataclass(frozen=True, slots=True)
class Workers:
    """So many workers of the stage (contest.Engine); they are up and idle when the input comes."""

    count: int
    fresh: Fresh
    made_anew: Topics
    releases: Sequence[Message]
    share: float = 1.0
    same_partition: bool = True

    @property
    def name(self) -> str:
        return str(self.count)

    @property
    def title(self) -> str:
        return "1 process" if self.count == 1 else f"{self.count} processes"

    def missing(self) -> str | None:
        return None

    def topics(self, _run: Run) -> Mapping[str, str]:
        return {provider: named_for(OPERATIONS, provider) for provider in self.fresh.providers}

    @contextmanager
    def start(self, run: Run) -> Iterator[StageProcess]:
        cluster = self.fresh.cluster
        await_empty(cluster, GROUP)
        cluster.drop(cluster.topics() & self.made_anew.keys())
        apply_topics([cluster.bootstrap], self.made_anew)
        cluster.await_leaders(self.made_anew)
        services = tuple(map(without_seat, self.fresh.services(STAGE, self.count)))
        with Supervisor(services=services, folder=run.folder) as supervisor:
            supervisor.wait_ready(READY_SECONDS, PARTITIONS)
            hidden = Hidden(cluster.bootstrap)
            hidden.send(RELEASES, self.releases)
            hidden.show()
            yield StageProcess(supervisor)


def measure(bench: Workbench) -> Findings:
    """The outputs of all of them are compared, byte for byte."""
    fresh = Fresh.on(bench, NAME, bench_policies())
    bench.say("workers: making the input")
    pupils = QUICK_PUPILS if bench.quick else PUPILS
    made = list(emissions(fresh.policies, pupils, PARTITIONS))
    releases = [Message(emission.partition, emission.key, emission.value, []) for emission in made]
    expected = sum(emission.fresh for emission in made)
    wanted = wanted_topics(fresh.providers, PARTITIONS)
    anew = {topic.name: wanted[topic.name] for topic in expand(fresh.providers) if topic.writer == STAGE}
    anew[RELEASES] = wanted[RELEASES]
    engines = [Workers(count, fresh, anew, releases) for count in COUNTS]
    contest = bench.contest(NAME, fresh.cluster, engines, expected)
    results = contest.run(QUICK_ROUNDS if bench.quick else ROUNDS)
    findings = Findings(faults=[f"{NAME}/{each.engine}: {each.fault}" for each in results if each.fault])
    for engine in engines:
        of_it = [result for result in results if result.engine == engine.name]
        findings.figures |= {
            f"{NAME}/{engine.name}/records_per_second": Measured.of([one.speed.rate for one in of_it]),
            f"{NAME}/{engine.name}/cpu_seconds_per_million": Measured.of([one.speed.engine_cpu for one in of_it]),
            f"{NAME}/{engine.name}/peak_bytes": Measured.of([float(one.peak_bytes) for one in of_it]),
        }
    bars = tuple(
        Bar(engine.title, findings.figures[f"{NAME}/{engine.name}/records_per_second"].median, ours=True)
        for engine in engines
    )
    findings.charts.append(Chart("Pseudonymisation by worker processes, two cores in all", "records a second", bars))
    return findings
