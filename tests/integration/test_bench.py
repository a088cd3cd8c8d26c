"""The benchmark itself, on a small input: every engine that is there does the same work, byte for byte."""

from collections.abc import Iterator

import pytest

from ops.benchmarks import console, filtering, memory, pipeline, pseudonymisation, reading, rebuild, withdrawal, workers
from ops.benchmarks.engines import kafka_streams
from ops.benchmarks.workbench import Workbench, workbench

PUPILS = 10_000
RATES = [
    f"pseudonymisation/{engine}/records_per_second"
    for engine in ("sanctuaire", "confluent", "kafka-streams", "stock-faust")
]


@pytest.fixture(scope="module")
def bench() -> Iterator[Workbench]:
    """One broker for all sections, which come in the order of a run of the benchmark."""
    with workbench(quick=True, peers=None, say=print) as made:
        yield made


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_every_peer_does_the_same_work_as_our_stage(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonymisation, "QUICK_PUPILS", PUPILS)
    monkeypatch.setattr(pseudonymisation, "FAUST_OUTPUTS", 2_000)
    bench.peers = peers = frozenset({"confluent", "kafka-streams", "stock-faust"})
    findings = pseudonymisation.measure(bench)
    assert findings.faults == []
    there = [name for name in RATES if name.split("/")[1] not in str(findings.missing)]
    assert all(findings.figures[name].median > 0 for name in there)
    assert all(findings.ratios[f"pseudonymisation/{peer}"] is not None for peer in peers - _missing(findings.missing))


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_kafka_streams_releases_what_our_filter_releases(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filtering, "QUICK_PUPILS", PUPILS)
    bench.peers = peers = frozenset({"kafka-streams", "kafka-streams-at-least-once"})
    findings = filtering.measure(bench)
    assert findings.faults == []
    assert findings.figures["filtering/sanctuaire/records_per_second"].median > 0
    assert all(findings.ratios[f"filtering/{peer}"] is not None for peer in peers - _missing(findings.missing))


@pytest.mark.broker
def test_without_a_jdk_kafka_streams_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.benchmarks.engines.kafka_streams.shutil.which", lambda _name: None)
    assert kafka_streams.missing() == "no JDK (javac): install one of Java 17 or later"


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_what_flows_through_all_stages_is_measured_from_end_to_end(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "QUICK_CHANGES", 3_000)
    monkeypatch.setattr(pipeline, "QUICK_PACED_SECONDS", 3.0)
    monkeypatch.setattr(withdrawal, "QUICK_BACKLOG", 15_000)
    monkeypatch.setattr(withdrawal, "QUICK_FAMILIES", 100)
    monkeypatch.setattr(withdrawal, "QUICK_LEAST", 3)
    flow, withdrawn = pipeline.measure(bench), withdrawal.measure(bench)
    figures = {name: one.median for name, one in {**flow.figures, **withdrawn.figures}.items()}

    assert flow.faults == withdrawn.faults == []
    assert withdrawn.missing == {}
    assert 0 < figures["pipeline/share_of_slowest_stage"] <= 1
    assert 0 < figures["pipeline/half_load/seconds_p50"] <= figures["pipeline/half_load/seconds_p99"]
    assert 0 < figures["withdrawal/seconds_p50"] <= figures["withdrawal/seconds_p99"]


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_one_worker_writes_what_two_do_and_a_store_is_rebuilt(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "QUICK_PUPILS", PUPILS)
    monkeypatch.setattr(workers, "COUNTS", (1, 2))
    for section in (memory, rebuild):
        monkeypatch.setattr(section, "QUICK_SUBJECTS", 5_000)
    monkeypatch.setattr(memory, "QUICK_PATCHES", 1_000)
    shared, held, rebuilt = workers.measure(bench), memory.measure(bench), rebuild.measure(bench)

    assert shared.faults == []
    assert held.figures["memory/empty_peak_bytes"].median < held.figures["memory/peak_bytes"].median
    assert rebuilt.figures["rebuild/subjects_per_second"].median > 0


def test_an_export_is_read_in_a_process_of_its_own(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "QUICK_SCHOOLS", 1)
    figures = reading.measure(bench).figures

    assert figures["reading/read_bytes"].median > 1e6
    assert 0 < figures["reading/peak_bytes"].median < 150e6


def _missing(missing: dict[str, str]) -> set[str]:
    return {name.split("/")[1] for name in missing}


@pytest.mark.broker
@pytest.mark.timeout(120)
def test_console_is_measured_with_four_partitions_a_topic_and_a_day_behind_it(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "PROVIDERS", 10)
    monkeypatch.setattr(console, "QUICK_SECONDS", 2)
    figures = {name: one.median for name, one in console.measure(bench).figures.items()}

    assert console.PARTITIONS == 4
    assert figures["console/updates"] > 0
    assert figures["console/sent_bytes_a_second"] > 0
    assert figures["console/peak_bytes"] > 0
    assert figures["console/share_of_a_core"] > 0
