"""From the runs of a contest to what a section has found: medians, ratios, and who is missing or wrong. Pure."""

from collections.abc import Collection, Iterable, Sequence
from typing import TypeVar

from ops.benchmarks.contest import Engine, Result
from ops.benchmarks.findings import Bar, Chart, Findings, Measured

Peer = TypeVar("Peer", bound=Engine)


def present(section: str, peers: Iterable[Peer], wanted: Collection[str] | None, findings: Findings) -> list[Peer]:
    """The peers that are wanted and can run; of the others that are wanted, why not."""
    there = []
    for peer in peers:
        if wanted is not None and peer.name not in wanted:
            continue
        if reason := peer.missing():
            findings.missing[f"{section}/{peer.name}"] = reason
            findings.ratios[f"{section}/{peer.name}"] = None
        else:
            there.append(peer)
    return there


def conclude(
    section: str, title: str, engines: Sequence[Engine], results: Sequence[Result], findings: Findings
) -> None:
    """Medians and ratios; a peer whose outputs are not ours is a fault, and has no ratio."""
    for result in results:
        if result.fault:
            findings.faults.append(f"{section}/{result.engine}: {result.fault}")
    faulty = {result.engine for result in results if result.fault}
    rates: dict[str, float] = {}
    for engine in engines:
        of_it = [result for result in results if result.engine == engine.name]
        rate = Measured.of([result.speed.rate for result in of_it])
        rates[engine.name] = rate.median
        findings.figures |= {
            f"{section}/{engine.name}/records_per_second": rate,
            f"{section}/{engine.name}/seconds": Measured.of([result.speed.seconds for result in of_it]),
            f"{section}/{engine.name}/cpu_seconds_per_million": Measured.of([r.speed.engine_cpu for r in of_it]),
            f"{section}/{engine.name}/broker_cpu_seconds_per_million": Measured.of([r.speed.broker_cpu for r in of_it]),
            f"{section}/{engine.name}/peak_bytes": Measured.of([float(result.peak_bytes) for result in of_it]),
        }
    ours = engines[0].name
    for engine in engines[1:]:
        ratio = None if engine.name in faulty else rates[ours] / rates[engine.name]
        findings.ratios[f"{section}/{engine.name}"] = ratio
    bars = tuple(Bar(engine.title, rates[engine.name], engine.name == ours) for engine in engines)
    findings.charts.append(Chart(title, "records a second", bars))
