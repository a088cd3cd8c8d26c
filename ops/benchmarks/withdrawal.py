"""(d) How long a withdrawal takes to its provider while a great backlog of changes drains."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ops.benchmarks.arrivals import Arrival, arrivals
from ops.benchmarks.bench_policies import bench_policies, with_consent
from ops.benchmarks.feed import Hidden, Paced
from ops.benchmarks.findings import Bar, Chart, Findings, Measured
from ops.benchmarks.fresh import READY_SECONDS, Fresh
from ops.benchmarks.households import GIVEN_AT, decides, joins, number_of
from ops.benchmarks.pacing import latencies, quantile
from ops.benchmarks.workbench import CORES, Workbench
from ops.supervisor import Supervisor
from services.contract.errors import Unreachable
from services.contract.topology import CHANGES, CONSENTS, PROVIDER_DIRECTORY, named_for

NAME = "withdrawal"
BACKLOG, QUICK_BACKLOG = 1_000_000, 80_000
FAMILIES, QUICK_FAMILIES = 2000, 400
"""Who consents before, and may withdraw: as many as withdraw in the time that the backlog lasts, at most."""
RATE = 5.0
LEAST, QUICK_LEAST = 100, 30
"""Of how few withdrawals nothing could be said."""
BY_CONSENT, WITHOUT = "gamma", "alpha"
SETTLE_SECONDS = 60.0
LOOK_SECONDS = 0.5


@dataclass(slots=True)
class Backlog:
    """Whether the providers still wait for some of it; asked often, looked at twice a second."""

    fresh: Fresh
    supervisor: Supervisor
    outputs: int
    """How many records the provider without consent has when all is done; markers of transactions count as well."""
    looked: float = 0.0
    over: bool = False

    def lasts(self) -> bool:
        if not self.over and time.monotonic() - self.looked > LOOK_SECONDS:
            self.supervisor.check()
            topic = named_for(PROVIDER_DIRECTORY, WITHOUT)
            ends = self.fresh.cluster.ends(self.fresh.cluster.places([topic]))
            self.looked, self.over = time.monotonic(), sum(ends.values()) >= self.outputs
        return not self.over


def measure(bench: Workbench) -> Findings:
    """Families who have consented take it back one by one, while a million others' first images are worked off."""
    families, backlog = (QUICK_FAMILIES, QUICK_BACKLOG) if bench.quick else (FAMILIES, BACKLOG)
    fresh = Fresh.on(bench, NAME, with_consent(bench_policies(), BY_CONSENT), CORES)
    topic = named_for(PROVIDER_DIRECTORY, BY_CONSENT)
    with (
        Supervisor(services=fresh.services(), folder=bench.folder / NAME / "services") as supervisor,
        arrivals(fresh.cluster, [topic]) as found,
    ):
        supervisor.wait_ready(READY_SECONDS, CORES)
        _consent(bench, fresh, families, found)
        bench.say(f"withdrawal: {backlog} changes of backlog")
        hidden = Hidden(fresh.cluster.bootstrap)
        hidden.send(CHANGES, (joins(number, CORES) for number in range(families, families + backlog)))
        bench.say("withdrawal: consents withdrawn while it drains")
        shown = hidden.show()
        paced = _withdraw(fresh, families, Backlog(fresh, supervisor, families + backlog))
        seconds = time.monotonic() - shown
        _await(found, families + len(paced.acknowledged))
    findings = conclude(found, paced.acknowledged, QUICK_LEAST if bench.quick else LEAST)
    findings.figures[f"{NAME}/backlog/changes"] = Measured.of([float(backlog)])
    findings.figures[f"{NAME}/backlog/changes_per_second"] = Measured.of([backlog / seconds])
    return findings


def _consent(bench: Workbench, fresh: Fresh, families: int, found: Sequence[Arrival]) -> None:
    """Publish the families and what they consent to; return once the provider knows them all."""
    bench.say(f"withdrawal: {families} families consent")
    hidden, policy = Hidden(fresh.cluster.bootstrap), fresh.policies[BY_CONSENT]
    hidden.send(CHANGES, (joins(number, CORES) for number in range(families)))
    given = (each for number in range(families) for each in decides(number, policy, "given", GIVEN_AT, CORES))
    hidden.send(CONSENTS, given)
    hidden.show()
    _await(found, families)
    if len(found) < families:
        raise Unreachable(f"{len(found)} of {families} families came to the provider")


def _withdraw(fresh: Fresh, families: int, backlog: Backlog) -> Paced:
    """One holder's word each, by the clock, for as long as the backlog lasts."""
    policy, now = fresh.policies[BY_CONSENT], datetime.now(UTC)
    # The second word is the holder's: one who opposes is enough.
    words = [decides(number, policy, "withdrawn", now, CORES)[1] for number in range(families)]
    paced = Paced(fresh.cluster.bootstrap, CONSENTS, RATE)
    paced.publish(words, backlog.lasts)
    return paced


def _await(found: Sequence[Arrival], wanted: int) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while len(found) < wanted and time.monotonic() < deadline:
        time.sleep(0.05)


def conclude(found: Sequence[Arrival], acknowledged: Mapping[int, float], least: int) -> Findings:
    """Who is erased is known by the name under which she was released."""
    names = {arrival.key: number_of(arrival.value) for arrival in found if arrival.value is not None}
    erased = {names[arrival.key]: arrival.at for arrival in found if arrival.value is None}
    findings = Findings()
    took = latencies(acknowledged, erased, since=0.0)
    if lost := len(acknowledged) - len(took):
        findings.faults.append(f"{NAME}: {lost} of {len(acknowledged)} withdrawals never came to the provider")
    if len(took) < least:
        findings.missing[NAME] = f"only {len(took)} withdrawals fell into the backlog, {least} are needed"
    if took:
        findings.figures |= {
            f"{NAME}/seconds_p50": Measured.of([quantile(took, 0.5)]),
            f"{NAME}/seconds_p99": Measured.of([quantile(took, 0.99)]),
            f"{NAME}/seconds_longest": Measured.of([max(took)]),
            f"{NAME}/withdrawals": Measured.of([float(len(took))]),
        }
        bars = tuple(
            Bar(name, quantile(took, share) * 1000, ours=True) for name, share in (("Median", 0.5), ("99 in 100", 0.99))
        )
        findings.charts.append(Chart("From a withdrawn consent to the provider, amid a backlog", "milliseconds", bars))
    return findings
