from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from faust.types import TP

from services.runtime import metrics
from services.runtime.health import Health
from services.runtime.vitals import Vitals
from services.runtime.watchdog import Pulse

LANES = ("in", "express")


class Consumer:
    """What the client below Faust's has heard."""

    def __init__(self) -> None:
        self.assigned = {TP(topic, number) for topic in LANES for number in (0, 1)}
        self.answered = 1
        self.end = 100
        self.lies: dict[TP, object] = {}
        self._fetcher = SimpleNamespace(_records=self.lies)

    def assignment(self) -> set[TP]:
        return self.assigned

    def last_poll_timestamp(self, tp: TP) -> int:
        assert tp != TP("express", 1), "Partition is not assigned"
        return 0 if tp in self.lies else self.answered

    def last_stable_offset(self, _tp: TP) -> int:
        return self.end


class Host:
    """Of a worker with two partitions, of which one is open."""

    def __init__(self, folder: Path) -> None:
        self.agent = SimpleNamespace(stage="filtering")
        self.settings = SimpleNamespace(work_folder=folder)
        self.policies = SimpleNamespace(caught_up=SimpleNamespace(is_set=lambda: True), answered=1)
        self.partitions: dict[int, object] = {0: partition()}
        self.newest: dict[tuple[str, int], float] = {}
        self.work = self
        self.attempts = 0
        self.full: set[TP] = set()
        self.consumer = SimpleNamespace(bearings=SimpleNamespace(full=lambda: self.full))
        self.caught_up = False
        self.below = Consumer()
        thread = SimpleNamespace(_consumer=self.below)
        self.app = SimpleNamespace(consumer=SimpleNamespace(_thread=thread), rebalancing=False, rebalancing_count=1)
        self.reached = 40

    def next_offset(self, _tp: TP) -> int:
        return self.reached

    def is_caught_up(self, _tp: TP) -> bool:
        return self.caught_up


def partition() -> object:
    return SimpleNamespace(state=SimpleNamespace(size_bytes=4096))


class Now:
    """A clock that is set, for both kinds of time."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


@pytest.fixture
def judged(now: Now) -> Health:
    return Health(Pulse(now), 60.0, now)


@pytest.fixture
def vitals(host: Any, judged: Health, now: Now) -> Iterator[Vitals]:
    yield Vitals(host, judged, 4321, now)
    metrics.lag("filtering", {})


def lag(name: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(
        f"sanctuaire_lag_{name}", {"stage": "filtering", "topic": "in", "partition": "0"}
    )


def test_worker_is_ready_once_what_it_was_given_is_open(host: Host, vitals: Vitals, judged: Health) -> None:
    vitals.take()
    before, word = judged.unready(), orjson.loads((host.settings.work_folder / "health.json").read_bytes())
    host.partitions[1] = partition()
    vitals.take()

    assert (before, word["ready"], word["partitions"], word["port"]) == ("partitions-closed", False, 1, 4321)
    assert judged.unready() is None


def test_worker_without_a_client_yet_is_not_ready_and_not_silent(host: Host, vitals: Vitals, judged: Health) -> None:
    host.app.consumer._thread = None
    host.app.rebalancing_count = 0
    vitals.take()

    assert (judged.unlive(), judged.unready()) == (None, "rebalancing")


def test_only_open_partitions_are_expected_to_be_fetched(host: Host, vitals: Vitals, judged: Health) -> None:
    host.below.lies[TP("express", 0)] = object()
    vitals.take()

    assert set(judged.pulse.pulses.fetches) == {("policies.v1", 0), ("in", 0)}
    assert set(judged.pulse.pulses.lying) == {("express", 0)}


@pytest.mark.parametrize(
    ("full", "attempts", "rebalancing", "code"),
    [
        pytest.param(False, 0, False, "intake-stuck", id="nobody takes it"),
        pytest.param(False, 1, False, "intake-stuck", id="nobody takes it, and other work goes on"),
        pytest.param(True, 1, False, None, id="its lane is full, and what is on lanes is taken up"),
        pytest.param(True, 0, False, "intake-stuck", id="its lane is full, and nothing is taken up"),
        pytest.param(False, 0, True, None, id="partitions are being divided"),
    ],
)
def test_trap_06_what_lies_untaken_is_noticed_whatever_each_second_brings(
    *, full: bool, attempts: int, rebalancing: bool, code: str | None,
    host: Host, vitals: Vitals, judged: Health, now: Now,
) -> None:  # fmt: skip
    host.below.lies[TP("in", 0)] = object()
    host.full = {TP("in", 0)} if full else set()
    host.app.rebalancing = rebalancing
    for _ in range(62):
        now.at += 1.0
        host.below.answered += 1
        host.policies.answered += 1
        host.attempts += attempts
        judged.pulse.progress("filtering", 0)
        judged.pulse.done("filtering", 0)
        vitals.take()
        if rebalancing:
            judged.pulse.progress("rebalance", 0)

    assert judged.unlive() == code


def test_partition_that_is_taken_away_meanwhile_is_passed_over(host: Host, vitals: Vitals, judged: Health) -> None:
    host.partitions[1] = partition()
    vitals.take()

    assert ("express", 1) not in judged.pulse.pulses.fetches


def test_lag_counts_records_and_the_age_of_the_newest_that_was_reached(host: Host, vitals: Vitals, now: Now) -> None:
    vitals.take()
    now.at = 1010.0
    vitals.take()
    told = [(lag("records"), lag("seconds"))]
    for reached in (90, 100):
        host.reached = reached
        host.newest["in", 0] = 1_007.5
        vitals.take()
        told.append((lag("records"), lag("seconds")))

    assert told == [(60, 10.0), (10, 2.5), (0, 0.0)]


def test_end_that_is_a_transaction_marker_is_no_lag(host: Host, vitals: Vitals) -> None:
    host.caught_up = True
    vitals.take()

    assert (lag("records"), lag("seconds")) == (0, 0.0)


def test_size_of_a_store_is_shown(host: Host, vitals: Vitals) -> None:
    vitals.take()
    shown = metrics.REGISTRY.get_sample_value("sanctuaire_store_bytes", {"stage": host.agent.stage, "partition": "0"})

    assert shown == 4096
