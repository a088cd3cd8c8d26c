"""What a service counts. Labels name topics, partitions, contracts and codes, never anybody.

Every function is called once a batch, or once a second, never once a record.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.process_collector import ProcessCollector

from services.contract.audit import AuditEntry, Stage

REGISTRY = CollectorRegistry()
"""Of its own: nothing that a library registers by itself is shown."""
ProcessCollector(registry=REGISTRY)

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LANE = ("stage", "topic", "partition")

RECORDS = Counter("sanctuaire_records_total", "Inputs decided and committed.", _LANE, registry=REGISTRY)
OUTPUTS = Counter("sanctuaire_outputs_total", "Records written for these inputs.", _LANE, registry=REGISTRY)
DECIDE = Histogram("sanctuaire_decide_seconds", "To decide a batch.", _LANE[:2], buckets=SECONDS, registry=REGISTRY)
COMMIT = Histogram("sanctuaire_commit_seconds", "To commit a batch.", _LANE[:2], buckets=SECONDS, registry=REGISTRY)
ENDS = Counter("sanctuaire_ends_total", "How inputs ended, by contract, end and reason.",
               ("stage", "contract", "end", "reason"), registry=REGISTRY)  # fmt: skip
QUARANTINED = Counter("sanctuaire_quarantined_total", "Inputs put aside.", ("stage", "topic", "code"),
                      registry=REGISTRY)  # fmt: skip
RETRIES = Counter("sanctuaire_retries_total", "Attempts at a batch that must wait.", ("stage", "topic", "code"),
                  registry=REGISTRY)  # fmt: skip
LAG = Gauge("sanctuaire_lag_records", "Inputs that the state does not reflect yet.", _LANE, registry=REGISTRY)
BEHIND = Gauge("sanctuaire_lag_seconds", "Age of the newest input that the state reflects, 0 where none is missing.",
               _LANE, registry=REGISTRY)  # fmt: skip
PARTITIONS = Gauge("sanctuaire_partitions", "Partitions assigned, and of these open.", ("stage", "state"),
                   registry=REGISTRY)  # fmt: skip
READY = Gauge("sanctuaire_ready", "1 while /readyz says yes.", ("stage",), registry=REGISTRY)
REBUILT = Counter("sanctuaire_rebuilt_records_total", "Changelog records read to rebuild state.",
                  ("stage", "partition"), registry=REGISTRY)  # fmt: skip
STORE = Gauge("sanctuaire_store_bytes", "Size of a partition's store.", ("stage", "partition"), registry=REGISTRY)

Lane = tuple[str, int]
"""Topic and partition."""
_shown: set[tuple[str, str, str]] = set()


def committed(  # noqa: PLR0913  # what there is to count of a batch
    stage: Stage, topic: str, partition: int, *,
    records: int, outputs: int, decide_seconds: float, commit_seconds: float,
) -> None:  # fmt: skip
    """A batch is durable."""
    lane = (stage, topic, str(partition))
    RECORDS.labels(*lane).inc(records)
    OUTPUTS.labels(*lane).inc(outputs)
    DECIDE.labels(stage, topic).observe(decide_seconds)
    COMMIT.labels(stage, topic).observe(commit_seconds)


def accounted(entry: AuditEntry) -> None:
    """The account of a batch, or of a chunk of a sweep, is durable."""
    for contract, ends in entry.ends.items():
        for end, reasons in ends.items():
            for reason, ranges in reasons.items():
                count = sum(last - first + 1 for first, last in ranges)
                ENDS.labels(entry.stage, contract, end, reason).inc(count)


def quarantined(stage: Stage, topic: str, code: str, records: int = 1) -> None:
    QUARANTINED.labels(stage, topic, code).inc(records)


def waiting(stage: Stage, topic: str, code: str) -> None:
    """One more attempt has found that its batch must wait."""
    RETRIES.labels(stage, topic, code).inc()


def rebuilt(stage: Stage, partition: int, records: int) -> None:
    """So many more changelog records were read."""
    REBUILT.labels(stage, str(partition)).inc(records)


def stored(stage: Stage, partition: int, size: int) -> None:
    STORE.labels(stage, str(partition)).set(size)


def held(stage: Stage, *, assigned: int, opened: int, ready: bool) -> None:
    PARTITIONS.labels(stage, "assigned").set(assigned)
    PARTITIONS.labels(stage, "open").set(opened)
    READY.labels(stage).set(ready)


def lag(stage: Stage, lags: Mapping[Lane, tuple[int, float]]) -> None:
    """Records and seconds of every partition that is open; one that is not, another worker tells of."""
    labels = {(stage, topic, str(number)): value for (topic, number), value in lags.items()}
    for gone in _shown - labels.keys():
        LAG.remove(*gone)
        BEHIND.remove(*gone)
        _shown.discard(gone)
    for lane, (records, seconds) in labels.items():
        LAG.labels(*lane).set(records)
        BEHIND.labels(*lane).set(seconds)
        _shown.add(lane)
