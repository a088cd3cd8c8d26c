"""(c) The whole pipeline, changes → what three providers read: how many a second, and how long one takes."""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from ops.benchmarks.arrivals import Arrival, arrivals
from ops.benchmarks.bench_policies import bench_policies
from ops.benchmarks.cluster import Cluster
from ops.benchmarks.comparing import incomplete
from ops.benchmarks.contest import Contest
from ops.benchmarks.engines.ours import StageProcess
from ops.benchmarks.feed import Hidden, Paced
from ops.benchmarks.findings import Bar, Chart, Findings, Measured
from ops.benchmarks.fresh import READY_SECONDS, Fresh
from ops.benchmarks.households import joins, number_of
from ops.benchmarks.measuring import cpu_seconds
from ops.benchmarks.pacing import Span, Work, latencies, quantile
from ops.benchmarks.workbench import CORES, Workbench
from ops.supervisor import Supervisor
from services.contract.topology import (
    CHANGES,
    CONNECTORS_AUDIT,
    FILTERING_AUDIT,
    OPERATIONS,
    PSEUDONYMISATION_AUDIT,
    RELEASES,
    named_for,
)

NAME = "pipeline"
CHANGES_SENT, QUICK_CHANGES = 300_000, 40_000
PACED_SECONDS, QUICK_PACED_SECONDS = 20.0, 10.0
UNCOUNTED_SECONDS = 2.0
"""At the beginning of the paced part, while all clients find their pace."""
SETTLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Flow:
    """All services, up and ready."""

    bench: Workbench
    fresh: Fresh
    supervisor: Supervisor
    findings: Findings

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, by service and of the broker."""
        used = {name: cpu_seconds([pid]) for name, pid in self.supervisor.pids.items()}
        return {**used, "broker": cpu_seconds([self.bench.broker.pid])}


def measure(bench: Workbench) -> Findings:
    """All stages as `sanctuaire up` starts them, with transactions, state, audit and heartbeats; no release window."""
    fresh = Fresh.on(bench, NAME, bench_policies(), CORES)
    with Supervisor(services=fresh.services(), folder=bench.folder / NAME / "services") as supervisor:
        supervisor.wait_ready(READY_SECONDS, CORES)
        flow = Flow(bench, fresh, supervisor, Findings())
        changes = QUICK_CHANGES if bench.quick else CHANGES_SENT
        rate = _at_full_speed(flow, changes)
        _at_half_speed(flow, changes, rate / 2)
    return flow.findings


def _at_full_speed(flow: Flow, changes: int) -> float:
    """Changes a second from the instant they are all there to the last one's visibility at the last provider."""
    cluster, bench, findings = flow.fresh.cluster, flow.bench, flow.findings
    bench.say(f"pipeline: {changes} changes at full speed")
    hidden = Hidden(cluster.bootstrap)
    hidden.send(CHANGES, (joins(number, CORES) for number in range(changes)))
    before = flow.cpu()
    shown = hidden.show()
    expected = changes * len(flow.fresh.providers)
    contest = Contest(cluster, bench.broker.pid, (), expected, bench.folder, bench.say)
    samples, outputs = contest.watch(StageProcess(flow.supervisor), flow.fresh.directories, expected)
    used = {name: spent - before[name] for name, spent in flow.cpu().items()}
    if fault := incomplete(outputs, expected):
        findings.faults.append(f"{NAME}: {fault}")
    seconds = next(sample.at for sample in samples if sample.ends == samples[-1].ends) - shown
    spans = stage_spans(cluster, flow.fresh.providers)
    note_rates(findings, changes, seconds, spans)
    for name, spent in used.items():
        findings.figures[f"{NAME}/{name}/cpu_seconds_per_million_changes"] = Measured.of([spent * 1e6 / changes])
    return changes / seconds


def note_rates(findings: Findings, changes: int, seconds: float, spans: Mapping[str, Span]) -> None:
    """The whole beside its stages. A change is three releases and an operation at each provider: all count changes."""
    rate, slowest = changes / seconds, max(span.seconds for span in spans.values())
    findings.figures[f"{NAME}/rate"] = Measured.of([rate])
    findings.figures[f"{NAME}/provider_records_per_second"] = Measured.of([rate * 3])
    findings.figures[f"{NAME}/share_of_slowest_stage"] = Measured.of([slowest / seconds])
    for name, span in spans.items():
        findings.figures[f"{NAME}/{name}/inputs_per_second"] = Measured.of([span.rate])
        findings.figures[f"{NAME}/{name}/changes_per_second"] = Measured.of([changes / span.seconds])
    stages = tuple(Bar(name, changes / span.seconds, ours=False) for name, span in spans.items())
    bars = (Bar("Whole pipeline", rate, ours=True), *stages)
    findings.charts.append(Chart("Changes to three providers, all stages on one machine", "changes a second", bars))


def stage_spans(cluster: Cluster, providers: Sequence[str]) -> dict[str, Span]:
    """How long each stage was at work, by the accounts it gave of its ordinary lane."""
    lanes = {CHANGES: "filtering", RELEASES: "pseudonymisation"}
    lanes |= {named_for(OPERATIONS, provider): f"connector-{provider}" for provider in providers}
    works: dict[str, list[Work]] = defaultdict(list)
    for message in cluster.records((FILTERING_AUDIT, PSEUDONYMISATION_AUDIT, CONNECTORS_AUDIT)):
        entry = orjson.loads(message.value() or b"{}")
        if name := lanes.get(entry["topic"]):
            began = datetime.fromisoformat(entry["at"]).timestamp()
            works[name].append(Work(entry["records"], began, message.timestamp()[1] / 1000))
    return {name: Span.of(works[name]) for name in lanes.values()}


def _at_half_speed(flow: Flow, known: int, rate: float) -> None:
    """New pupils by the clock, and how long each takes to every provider."""
    seconds = QUICK_PACED_SECONDS if flow.bench.quick else PACED_SECONDS
    flow.bench.say(f"pipeline: {rate:.0f} changes a second for {seconds:.0f} s")
    messages = [joins(known + number, CORES) for number in range(int(rate * seconds))]
    paced = Paced(flow.fresh.cluster.bootstrap, CHANGES, rate)
    with arrivals(flow.fresh.cluster, flow.fresh.directories.values()) as found:
        began = time.monotonic()
        paced.publish(messages)
        ended = time.monotonic()
        wanted = len(messages) * len(flow.fresh.providers)
        while len(found) < wanted and time.monotonic() < ended + SETTLE_SECONDS:
            flow.supervisor.check()
            time.sleep(0.1)
    took = [
        each
        for seen in by_provider(found, known).values()
        for each in latencies(paced.acknowledged, seen, began + UNCOUNTED_SECONDS)
    ]
    if len(found) != wanted:
        flow.findings.faults.append(f"{NAME}: {len(found)} records came to the providers, {wanted} were to come")
    flow.findings.figures |= {
        f"{NAME}/half_load/changes_per_second": Measured.of([len(messages) / (ended - began)]),
        f"{NAME}/half_load/seconds_p50": Measured.of([quantile(took, 0.5)]),
        f"{NAME}/half_load/seconds_p99": Measured.of([quantile(took, 0.99)]),
        f"{NAME}/half_load/seconds_longest": Measured.of([max(took)]),
    }
    bars = tuple(
        Bar(f"{name}, half load", quantile(took, share) * 1000, ours=True)
        for name, share in (("Median", 0.5), ("99 in 100", 0.99))
    )
    flow.findings.charts.append(Chart("From a change's acknowledgement to the provider", "milliseconds", bars))


def by_provider(found: Sequence[Arrival], known: int) -> dict[str, dict[int, float]]:
    """Topic → number of the message → when it was there; `known` is the first message's pupil."""
    seen: dict[str, dict[int, float]] = defaultdict(dict)
    for arrival in found:
        if arrival.value is not None:
            seen[arrival.topic][number_of(arrival.value) - known] = arrival.at
    return seen
