import orjson
import pytest

from services.console.accounts import Ended, Entry, SetAside, provider_of, read_aside, read_entry
from services.console.counts import MOST_KINDS, Cell, Counts, Kind, cells_of, ends_by_provider, paces_of
from services.contract.audit import End, Stage
from services.contract.errors import Unreadable
from services.contract.topology import CHANGES
from tests.replay.invented import example

NOW = 500_000 * 3600.0 + 120
HOUR = 500_000


def entry(stage: Stage, end: End, reason: str, number: int) -> Entry:
    return Entry(stage, CHANGES, 0, 10, number, NOW, (Ended("gar/GAR-2026", end, reason, number),))


def counted(*entries: Entry, aside: tuple[SetAside, ...] = (), now: float = NOW) -> Counts:
    return Counts().plus(cells_of(entries, aside), paces_of(entries), now)


def test_account_is_read_as_numbers_alone() -> None:
    read = read_entry(orjson.dumps(example("audit-entry/1/filtering-batch")))

    assert (read.stage, read.topic, read.partition, read.last, read.records) == (
        "filtering", "directory.changes.v1", 3, 1205, 6,
    )  # fmt: skip
    assert Ended("gar/GAR-2026", "released", "R3/public-task", 4) in read.ends
    assert Ended("-", "withheld", "reference-data", 1) in read.ends
    assert (read.applied_until, read.caught_up) == (None, {})


def test_account_of_heartbeats_alone_is_read() -> None:
    read = read_entry(orjson.dumps(example("audit-entry/1/connector-heartbeats-alone")))

    assert (read.records, read.ends) == (0, ())
    assert (read.applied_until, read.caught_up) == (1_788_245_997.25, {"provisioning.operations.gar.v1": 918})


@pytest.mark.parametrize(
    "differences",
    [
        pytest.param({"topic": "<script>"}, id="a topic that is none"),
        pytest.param({"ends": {"<b>/x": {"held": {"no-image": [[1, 1]]}}}}, id="a contract that is none"),
        pytest.param({"ends": {"gar/G": {"held": {"Jean Dupont": [[1, 1]]}}}}, id="a reason that is none"),
        pytest.param({"ends": {"gar/G": {"lost": {"no-image": [[1, 1]]}}}}, id="an end that is none"),
        pytest.param({"ends": {"gar/G": {"held": {"no-image": [[9, 1]]}}}}, id="a range that goes backwards"),
        pytest.param({"caught_up": {"Jean Dupont": 1}}, id="an end of what is no topic"),
        pytest.param({"more": 1}, id="a field that is not declared"),
    ],
)
def test_what_is_no_account_is_refused_without_a_value(differences: dict[str, object]) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_entry(orjson.dumps(example("audit-entry/1/filtering-batch", **differences)))

    assert "Dupont" not in str(refusal.value)


def test_quarantined_record_is_read_without_its_detail() -> None:
    aside = read_aside(orjson.dumps(example("quarantined-record/1/undeclared-field")))

    assert aside._fields == ("stage", "topic", "code", "at")
    with pytest.raises(Unreadable):
        read_aside(b'{"topic": "x"}')


def test_nothing_is_counted_at_two_stages() -> None:
    counts = counted(
        entry("filtering", "released", "R3/public-task", 5), entry("pseudonymisation", "released", "renamed", 5),
        entry("connectors", "released", "delivered", 4), entry("connectors", "refused", "superseded", 1),
        entry("filtering", "withheld", "school-not-subscribed", 2), entry("connectors", "held", "release-window", 3),
    )  # fmt: skip

    assert ends_by_provider(counts.hours[HOUR]) == {"gar": {"released": 4, "refused": 1, "withheld": 2}}
    assert counts.minutes[int(NOW) // 60]["gar released"] == 4
    assert counts.minutes[int(NOW) // 60]["filtering"] == 7


def test_quarantine_is_counted_for_whose_topic_it_is() -> None:
    aside = (
        SetAside("connectors", "provisioning.operations.gar.v1", "not-json", NOW),
        SetAside("filtering", CHANGES, "not-this-schema", NOW),
    )

    counts = counted(aside=aside)

    assert ends_by_provider(counts.hours[HOUR]) == {"gar": {"quarantined": 1}, "-": {"quarantined": 1}}


def test_hours_and_minutes_that_are_over_go() -> None:
    counts = counted(entry("filtering", "held", "no-image", 1))

    later = counts.plus({}, {}, NOW + 24 * 3600)

    assert (later.hours, later.minutes) == ({}, {})
    assert counts.hours[HOUR] == {Kind("filtering", "gar/GAR-2026", "held", "no-image"): 1}


def test_flood_of_contracts_does_not_take_the_memory() -> None:
    cells = {Cell(HOUR, "filtering", f"p{n}/C", "held", "no-image"): 1 for n in range(MOST_KINDS + 50)}

    counts = Counts().plus(cells, {}, NOW)

    assert len(counts.hours[HOUR]) == MOST_KINDS + 1
    assert counts.hours[HOUR][Kind("filtering", "other", "held", "other")] == 50


@pytest.mark.parametrize(
    ("topic", "provider"),
    [
        ("provisioning.operations.gar.v1", "gar"),
        ("provisioning.withdrawals.a.b.v1", "a.b"),
        ("providers.gar.directory.v1", "gar"),
        ("provisioning.withdrawals.v1", None),
        ("provisioning.releases.v1", None),
        ("directory.changes.v1", None),
    ],
)
def test_topic_says_whose_it_is(topic: str, provider: str | None) -> None:
    assert provider_of(topic) == provider
