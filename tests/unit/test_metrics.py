from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from prometheus_client import generate_latest

from services.contract.account import Account
from services.runtime import metrics

LABELS = {"stage", "topic", "partition", "contract", "end", "reason", "code", "state", "le"}


@pytest.fixture(autouse=True)
def _shown() -> Iterator[None]:
    yield
    metrics.lag("filtering", {})


def value(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(name, labels)


def test_batch_is_counted_once_it_is_durable() -> None:
    lane = {"stage": "filtering", "topic": "metrics-batch", "partition": "3"}
    for _ in range(2):
        metrics.committed("filtering", "metrics-batch", 3, records=2000, outputs=6001,
                          decide_seconds=0.03, commit_seconds=0.2)  # fmt: skip

    assert value("sanctuaire_records_total", **lane) == 4000
    assert value("sanctuaire_outputs_total", **lane) == 12_002
    assert value("sanctuaire_commit_seconds_count", stage="filtering", topic="metrics-batch") == 2
    assert value("sanctuaire_commit_seconds_bucket", stage="filtering", topic="metrics-batch", le="0.25") == 2
    assert value("sanctuaire_decide_seconds_bucket", stage="filtering", topic="metrics-batch", le="0.025") == 0


def test_ends_are_counted_by_contract_end_and_reason() -> None:
    account = Account("connectors", "metrics-ends", 0, 5)
    for offset in (10, 11, 12, 14):
        account.end(offset, "gar/metrics", "released", "R15/granted")
    account.end(13, "gar/metrics", "withheld", "R01/no-consent")
    metrics.accounted(account.entry((10, 14), datetime(2026, 9, 15, tzinfo=UTC), {"gar": 1}))
    of = {"stage": "connectors", "contract": "gar/metrics"}

    assert value("sanctuaire_ends_total", **of, end="released", reason="R15/granted") == 4
    assert value("sanctuaire_ends_total", **of, end="withheld", reason="R01/no-consent") == 1


def test_lag_of_a_partition_that_went_is_no_longer_told() -> None:
    place = {"stage": "filtering", "topic": "metrics-lag"}
    metrics.lag("filtering", {("metrics-lag", 0): (7, 2.5), ("metrics-lag", 1): (0, 0.0)})
    before = [value("sanctuaire_lag_records", **place, partition=number) for number in "01"]
    metrics.lag("filtering", {("metrics-lag", 0): (5, 3.5)})

    assert before == [7, 0]
    assert value("sanctuaire_lag_records", **place, partition="0") == 5
    assert value("sanctuaire_lag_seconds", **place, partition="0") == 3.5
    assert value("sanctuaire_lag_records", **place, partition="1") is None


def test_what_is_put_aside_waits_or_is_held_is_counted() -> None:
    metrics.quarantined("filtering", "metrics-aside", "not-json", 3)
    metrics.waiting("filtering", "metrics-aside", "policy-not-here")
    metrics.held("pseudonymisation", assigned=4, opened=3, ready=False)
    metrics.rebuilt("filtering", 9, 500)
    metrics.stored("filtering", 9, 4096)

    assert value("sanctuaire_quarantined_total", stage="filtering", topic="metrics-aside", code="not-json") == 3
    assert value("sanctuaire_retries_total", stage="filtering", topic="metrics-aside", code="policy-not-here") == 1
    assert value("sanctuaire_partitions", stage="pseudonymisation", state="open") == 3
    assert value("sanctuaire_ready", stage="pseudonymisation") == 0
    assert value("sanctuaire_rebuilt_records_total", stage="filtering", partition="9") == 500
    assert value("sanctuaire_store_bytes", stage="filtering", partition="9") == 4096


def test_labels_are_those_that_nobody_could_be_known_by() -> None:
    used = {label for family in metrics.REGISTRY.collect() for sample in family.samples for label in sample.labels}

    assert used <= LABELS


def test_every_name_says_its_unit() -> None:
    names = {line.split()[2] for line in generate_latest(metrics.REGISTRY).decode().splitlines()
             if line.startswith("# TYPE sanctuaire_")}  # fmt: skip
    units = ("_total", "_seconds", "_records", "_bytes", "_partitions", "_ready", "_created",
             "_level", "_waiting", "_accounts")  # fmt: skip

    assert [name for name in names if not name.endswith(units)] == []
