"""The benchmark itself, on a small input: every engine that is there does the same work, byte for byte."""

import pytest

from ops.benchmarks import filtering, pseudonymisation
from ops.benchmarks.engines import kafka_streams
from ops.benchmarks.workbench import workbench

PUPILS = 10_000
RATES = [
    f"pseudonymisation/{engine}/records_per_second"
    for engine in ("sanctuaire", "confluent", "kafka-streams", "kafka-streams-at-least-once", "stock-faust")
]


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_every_peer_does_the_same_work_as_our_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pseudonymisation, "QUICK_PUPILS", PUPILS)
    monkeypatch.setattr(pseudonymisation, "FAUST_OUTPUTS", 2_000)
    peers = frozenset({"confluent", "kafka-streams", "kafka-streams-at-least-once", "stock-faust"})
    with workbench(quick=True, peers=peers, say=print) as bench:
        findings = pseudonymisation.measure(bench)
    assert findings.faults == []
    there = [name for name in RATES if name.split("/")[1] not in str(findings.missing)]
    assert all(findings.figures[name].median > 0 for name in there)
    assert all(findings.ratios[f"pseudonymisation/{peer}"] is not None for peer in peers - _missing(findings.missing))


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_kafka_streams_releases_what_our_filter_releases(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filtering, "QUICK_PUPILS", PUPILS)
    peers = {"kafka-streams", "kafka-streams-at-least-once"}
    with workbench(quick=True, peers=None, say=print) as bench:
        findings = filtering.measure(bench)
    assert findings.faults == []
    assert findings.figures["filtering/sanctuaire/records_per_second"].median > 0
    assert all(findings.ratios[f"filtering/{peer}"] is not None for peer in peers - _missing(findings.missing))


@pytest.mark.broker
def test_without_a_jdk_kafka_streams_is_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ops.benchmarks.engines.kafka_streams.shutil.which", lambda _name: None)
    assert kafka_streams.missing() == "no JDK (javac): install one of Java 17 or later"


def _missing(missing: dict[str, str]) -> set[str]:
    return {name.split("/")[1] for name in missing}
