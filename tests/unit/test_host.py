import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types import TP

from services.contract.errors import Unreachable, WrongSettings
from services.runtime import host as host_module
from services.runtime.host import Host
from services.runtime.records import Batch
from services.runtime.state import OFFSET, SWEEP
from services.runtime.transport import BatchingConsumer, WholeAssignor
from tests.replay.rows import Row
from tests.unit.memory_state import MemoryState
from tests.unit.stand_in_agent import StandIn


class StandInConsumer:
    """Takes every batch for current until told otherwise."""

    current = True

    def is_current(self, _batch: Batch) -> bool:
        return self.current

    def hold(self, _tps: set[TP]) -> None: ...

    async def go_on(self, _tps: set[TP]) -> None: ...


class StandInPartition:
    """Commits at once, or fails."""

    def __init__(self, number: int = 0) -> None:
        self.number = number
        self.state = MemoryState()
        self.lock = asyncio.Lock()
        self.commits: list[dict[str, int]] = []
        self.error: Exception | None = None

    async def commit(self, _agent: object, outbox: Any, positions: dict[str, int]) -> None:
        if self.error:
            raise self.error
        self.state.apply(outbox.changes)
        self.state.apply({OFFSET + topic.encode(): str(at).encode() for topic, at in positions.items()})
        self.commits.append(positions)

    async def close(self) -> None:
        async with self.lock:
            pass


def hosting(agent: StandIn) -> tuple[Host, StandInPartition, StandInConsumer]:
    partition, consumer = StandInPartition(), StandInConsumer()
    host = Host(agent, cast("Any", None), cast("Any", None))
    host.app = SimpleNamespace(consumer=consumer)
    host.partitions[0] = cast("Any", partition)
    return host, partition, consumer


def batch(topic: str, *values: bytes, first: int = 0) -> Batch:
    return Batch(topic, 0, 1, [Row(topic, 0, first + n, 0, b"k", value) for n, value in enumerate(values)])


async def test_batch_moves_state_and_position_together() -> None:
    host, partition, _ = hosting(StandIn())
    await host.process(batch("in", b"a", b"b"))

    assert partition.commits == [{"in": 2}]
    assert partition.state.next_offset("in") == 2


async def test_records_that_the_state_reflects_are_not_decided_again() -> None:
    agent = StandIn()
    host, _, _ = hosting(agent)
    await host.process(batch("in", b"a", b"b"))
    await host.process(batch("in", b"a", b"b", b"c"))
    await host.process(batch("in", b"a"))

    assert agent.handled == [0, 1, 2]


async def test_batch_fetched_before_a_seek_is_dropped() -> None:
    host, partition, consumer = hosting(StandIn())
    consumer.current = False
    await host.process(batch("in", b"a"))

    assert partition.commits == []


async def test_lane_that_waits_does_not_hold_up_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "RETRY_SECONDS", 0.001)
    agent = StandIn()
    host, partition, _ = hosting(agent)
    waiting = asyncio.create_task(host.process(batch("in", b"wait")))
    await asyncio.sleep(0)
    await asyncio.wait_for(host.process(batch("express", b"a")), 5)
    agent.waits = False
    await asyncio.wait_for(waiting, 5)

    assert partition.commits == [{"express": 1}, {"in": 1}]


async def test_partition_can_be_given_up_while_a_batch_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "RETRY_SECONDS", 0.001)
    host, partition, _ = hosting(StandIn())
    waiting = asyncio.create_task(host.process(batch("in", b"wait")))
    await asyncio.sleep(0)
    await asyncio.wait_for(host.close(), 5)
    await asyncio.wait_for(waiting, 5)

    assert partition.commits == []


async def test_failed_commit_moves_nothing_and_is_not_swallowed() -> None:
    host, partition, _ = hosting(StandIn())
    partition.error = ConnectionError()
    with pytest.raises(ConnectionError):
        await host.process(batch("in", b"a"))

    assert partition.state.next_offset("in") is None


async def test_sweep_goes_over_every_entry_once_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host_module, "SWEEP_CHUNK", 2)
    agent = StandIn()
    host, partition, _ = hosting(agent)
    partition.state.apply({f"s/{n}".encode(): b"x" for n in range(5)} | {b"t/0": b"x"})
    await host.sweep()
    chunks = len(partition.commits)
    await host.sweep()

    assert chunks == 3
    assert len(partition.commits) == 3
    assert partition.state.get(SWEEP) == b"t1 end"
    assert [value for _, value in partition.state.scan(b"s/", None)] == [b"swept"] * 5
    assert partition.state.get(b"t/0") == b"x"


async def test_sweep_that_was_cut_goes_on_after_its_cursor() -> None:
    host, partition, _ = hosting(StandIn())
    partition.state.apply({b"s/0": b"x", b"s/1": b"x", SWEEP: b"t1 s/0"})
    await host.sweep()

    assert [value for _, value in partition.state.scan(b"s/", None)] == [b"x", b"swept"]


async def test_partitions_of_one_number_must_come_together() -> None:
    host, _, _ = hosting(StandIn())
    with pytest.raises(WrongSettings, match="1 partitions are not together"):
        await host.on_assignment({TP("in", 0), TP("express", 0), TP("in", 1)})


def test_nothing_is_ever_acknowledged_to_faust() -> None:
    assert BatchingConsumer.ack(cast("Any", None), object()) is False


@pytest.mark.parametrize(("known", "divides"), [({"in": {0, 1}}, True), ({}, False), ({"in": set()}, False)])
def test_topic_that_the_metadata_lacks_is_divided_among_nobody(known: dict[str, set[int]], divides: bool) -> None:  # noqa: FBT001  # a row
    cluster = SimpleNamespace(partitions_for_topic=known.get)
    members = {"m": SimpleNamespace(subscription=["in"])}
    if divides:
        assert WholeAssignor.assign(cluster, members)["m"].assignment == [("in", [0, 1])]
        return
    with pytest.raises(Unreachable, match="1 of 1 topics"):
        WholeAssignor.assign(cluster, members)
