import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiokafka.errors import ProducerFenced
from faust.types import TP

from services.contract.errors import Unreachable, WrongSettings
from services.runtime import duties, schedule, steps
from services.runtime import work as work_module
from services.runtime.fetching import WholeAssignor
from services.runtime.outbox import Outbox
from services.runtime.records import CaughtUp
from services.runtime.state import SWEEP
from services.runtime.transport import BatchingConsumer
from tests.unit.hosting import Hosting
from tests.unit.stand_in_agent import StandIn


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (work_module, steps):
        monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(schedule, "TOGETHER", 1)
    monkeypatch.setattr(schedule, "GATHER_SECONDS", 0.0)


async def test_batch_moves_state_and_position_together() -> None:
    async with Hosting(StandIn()) as at:
        at.take("in", b"a", b"b")
        await at.until(lambda: at.state.next_offset("in") == 2)

    assert at.state.get(b"1") == b"seen"
    assert at.producer.transactions == 1
    assert ("state", 0, 3) in at.producer.sent
    assert len(at.consumer.released) == 1


async def test_records_that_are_decided_already_are_not_decided_again() -> None:
    async with Hosting(StandIn()) as at:
        at.take("in", b"a", b"b")
        at.take("in", b"a", b"b", b"c")
        at.take("in", b"a")
        await at.until(lambda: len(at.consumer.released) == 3)

    assert at.agent.handled == [0, 1, 2]


# Apache Kafka's own vectors of its murmur2 (UtilsTest.testMurmur2), the sign taken off, modulo 12 partitions.
@pytest.mark.parametrize(("key", "partition"), [(b"21", 0), (b"foobar", 6), (b"abc", 3)])
async def test_what_is_said_to_another_subject_goes_where_a_platform_would_send_it(key: bytes, partition: int) -> None:
    async with Hosting(StandIn()) as at:
        outbox = Outbox("filtering", 5, at.state, 0)
        outbox.send_to(key, "links", b"v", ())
        await at.partition.commit(outbox, {})

    assert at.producer.sent == [("links", partition, 1)]


async def test_batch_fetched_before_a_seek_is_dropped() -> None:
    async with Hosting(StandIn()) as at:
        at.consumer.current = False
        at.take("in", b"a")

    assert at.agent.handled == []


async def test_next_batch_is_decided_while_the_one_before_is_committed_and_sees_what_it_changed() -> None:
    async with Hosting(StandIn()) as at:
        at.producer.lets.clear()
        for first in range(4):
            at.take("in", b"a", first=first)
        await at.until(lambda: at.agent.handled == [0, 1])
        for _ in range(20):
            await asyncio.sleep(0)

        assert at.agent.handled == [0, 1]
        assert at.agent.seen_before == [[], [b"0"]]
        assert at.state.next_offset("in") is None
        at.producer.lets.set()
        await at.until(lambda: at.state.next_offset("in") == 4)


async def test_batches_that_wait_are_decided_and_committed_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "TOGETHER", 5)
    async with Hosting(StandIn()) as at:
        for first in range(0, 8, 2):
            at.take("in", b"a", b"b", first=first)
        await at.until(lambda: at.state.next_offset("in") == 8)

    assert at.agent.handled == list(range(8))
    assert at.producer.transactions == 2


async def test_steps_of_a_backlog_are_committed_as_one_and_each_sees_what_those_before_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "GATHER_SECONDS", 60.0)
    async with Hosting(StandIn()) as at:
        for first in range(4):
            at.take("in", b"a", first=first)
        await at.until(lambda: at.state.next_offset("in") == 4)

    assert at.producer.transactions == 1
    assert at.agent.seen_before == [[], [b"0"], [b"0", b"1"], [b"0", b"1", b"2"]]


async def test_an_erasure_is_committed_at_once_with_what_is_gathered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GATHER_SECONDS", 60.0)
    async with Hosting(StandIn()) as at:
        at.take("in", b"a", first=0)
        at.take("in", b"a", first=1)
        await at.until(lambda: at.agent.handled == [0])
        at.take("express", b"e", first=100)
        at.take("in", b"a", first=2)
        await at.until(lambda: at.state.next_offset("express") == 101)
        reached = at.state.next_offset("in")
        await at.until(lambda: at.state.next_offset("in") == 3)

    assert at.agent.handled.index(100) < at.agent.handled.index(2)
    assert reached == at.agent.handled.index(100)
    assert at.producer.transactions == 2


async def test_step_that_must_wait_leaves_what_is_gathered_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GATHER_SECONDS", 60.0)
    async with Hosting(StandIn()) as at:
        at.take("in", b"a", first=0)
        at.take("in", b"wait", first=1)
        await at.until(lambda: at.state.next_offset("in") == 1)

        assert at.state.get(b"0") == b"seen"
        assert at.state.get(b"1") is None
        at.agent.waits = False
        await at.until(lambda: at.state.next_offset("in") == 2)


async def test_what_is_gathered_is_committed_before_partitions_are_divided_anew() -> None:
    at = Hosting(StandIn(), session_timeout_seconds=10.0)
    gathered = at.host.work._steps._gathered(at.partition)
    gathered.outbox.put(b"1", b"seen")
    gathered.positions["in"] = 7
    at.partition.gather(gathered, 0.0, express=False)
    await at.host.on_revocation()

    assert (at.state.get(b"1"), at.state.next_offset("in")) == (b"seen", 7)
    assert at.partition.worklist.at_rest


async def test_erasure_goes_before_the_rest_of_a_batch_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "FEWEST", 2)
    monkeypatch.setattr(schedule, "STEP_SECONDS", 0.0)
    async with Hosting(StandIn()) as at:
        at.producer.lets.clear()
        at.take("in", *[b"a"] * 5)
        await at.until(lambda: at.agent.handled == [0, 1, 2, 3])
        at.take("express", b"e", first=100)
        at.producer.lets.set()
        await at.until(lambda: at.state.next_offset("in") == 5)

    assert at.agent.handled == [0, 1, 2, 3, 100, 4]
    assert len(at.consumer.released) == 2


async def test_express_lane_goes_first() -> None:
    async with Hosting(StandIn()) as at:
        for first in range(3):
            at.take("in", b"a", first=first)
        at.take("express", b"e", first=100)
        await at.until(lambda: len(at.consumer.released) == 4)

    assert at.agent.handled[0] == 100


async def test_lane_that_waits_does_not_hold_up_the_other() -> None:
    async with Hosting(StandIn()) as at:
        at.take("express", b"wait")
        at.take("in", b"a")
        await at.until(lambda: at.state.next_offset("in") == 1)

        assert at.state.next_offset("express") is None
        at.agent.waits = False
        await at.until(lambda: at.state.next_offset("express") == 1)


async def test_partition_can_be_given_up_while_a_batch_waits() -> None:
    async with Hosting(StandIn()) as at:
        at.take("in", b"wait")
        await at.until(lambda: at.partition.worklist.lanes["in"].not_before > 0)
        await asyncio.wait_for(at.host.close(), 5)
        at.agent.waits = False

    assert at.producer.transactions == 0


async def test_failed_commit_moves_nothing_and_ends_the_process() -> None:
    async with Hosting(StandIn()) as at:
        at.producer.error = ConnectionError()
        at.take("in", b"a")
        await at.until(lambda: bool(at.failures))

    assert at.state.next_offset("in") is None
    assert isinstance(at.failures[0], ConnectionError)


async def test_commit_that_is_fenced_after_its_partition_was_given_up_ends_nobody() -> None:
    async with Hosting(StandIn()) as at:
        at.producer.lets.clear()
        at.take("in", b"a")
        await at.until(lambda: at.partition.worklist.committing == 1)
        await at.host.on_assignment(set(), 1)
        at.producer.error = ProducerFenced()
        at.producer.lets.set()
        await at.until(lambda: not at.host.work._jobs)

    assert at.failures == []
    assert at.state.next_offset("in") is None


async def test_sweep_goes_over_every_entry_once_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "SWEEP_CHUNK", 2)
    async with Hosting(StandIn()) as at:
        at.state.apply({f"s/{n}".encode(): b"x" for n in range(5)} | {b"t/0": b"x"})
        at.host.work.second()
        await at.until(lambda: at.state.get(SWEEP) == b"t1 end")
        at.host.work.second()
        await at.until(lambda: not at.partition.worklist.due)

        assert at.agent.handled == [-1] * 5
        assert [value for _, value in at.state.scan(b"s/", None)] == [b"swept"] * 5
        assert at.state.get(b"t/0") == b"x"


async def test_sweep_that_was_cut_goes_on_after_its_cursor() -> None:
    async with Hosting(StandIn()) as at:
        at.state.apply({b"s/0": b"x", b"s/1": b"x", SWEEP: b"t1 s/0"})
        at.host.work.second()
        await at.until(lambda: at.state.get(SWEEP) == b"t1 end")

        assert [value for _, value in at.state.scan(b"s/", None)] == [b"x", b"swept"]


async def test_a_long_sweep_and_a_backlog_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duties, "SWEEP_CHUNK", 1)
    async with Hosting(StandIn()) as at:
        at.state.apply({f"s/{n}".encode(): b"x" for n in range(4)})
        at.host.work.second()
        for first in range(4):
            at.take("in", b"a", first=first)
        await at.until(lambda: at.state.get(SWEEP) == b"t1 end")

    assert at.agent.handled == [0, -1, 1, -1, 2, -1, 3, -1]


async def test_sweep_that_must_wait_leaves_what_is_gathered_as_it_was() -> None:
    at = Hosting(StandIn())
    steps = at.host.work._steps
    at.state.apply({b"s/0": b"x", b"s/1": b"wait"})
    at.agent.ticks = True
    await steps.attend(at.partition, "tick")
    await steps.attend(at.partition, "sweep")
    assert at.partition.gathered
    waits = dict(at.partition.gathered.outbox.changes)
    at.agent.waits = False
    await steps.attend(at.partition, "sweep")

    assert waits == {b"ticked": b""}
    assert at.partition.gathered.outbox.changes == waits | {b"s/0": b"swept", b"s/1": b"swept", SWEEP: b"t1 end"}


async def test_what_is_due_joins_what_is_gathered_and_nothing_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GATHER_SECONDS", 60.0)
    async with Hosting(StandIn()) as at:
        at.state.apply({b"s/0": b"x"})
        at.agent.ticks = True
        at.producer.lets.clear()
        at.take("in", b"a", first=0)
        await at.until(lambda: at.partition.worklist.committing == 1)
        at.host.work.second()
        at.take("in", b"a", first=1)
        await at.until(lambda: at.agent.handled == [0, 1, -1])
        committed = at.producer.transactions
        at.producer.lets.set()
        await at.until(lambda: at.state.next_offset("in") == 2)

        assert committed == 0
        assert at.producer.transactions == 2
        assert (at.state.get(b"ticked"), at.state.get(b"s/0")) == (b"", b"swept")


async def test_second_ticks_and_what_it_sends_is_committed() -> None:
    async with Hosting(StandIn()) as at:
        at.agent.ticks = True
        at.consumer.caught_up = CaughtUp(5, 9)
        at.host.work.second()
        await at.until(lambda: at.state.get(b"ticked") == b"express=5000/9,in=5000/9")


async def test_backlog_is_over_once_it_is_decided_up_to_where_it_ended_at_opening() -> None:
    async with Hosting(StandIn()) as at:
        at.partition.backlog = {"in": 2}
        at.take("in", b"a", first=0)
        at.take("in", b"a", first=1)
        at.take("in", b"a", first=2)
        await at.until(lambda: at.agent.handled == [0, 1, 2])

    assert at.agent.backlogs == [{"in"}, {"in"}, set()]


async def test_lane_that_is_at_its_end_is_no_backlog_whatever_its_last_offset() -> None:
    async with Hosting(StandIn()) as at:
        at.agent.ticks = True
        at.partition.backlog = {"in": 7}
        at.consumer.caught_up = CaughtUp(5, 9)
        at.host.work.second()
        await at.until(lambda: at.state.get(b"ticked") is not None)

        assert at.partition.backlog == {}


async def test_partitions_of_one_number_must_come_together() -> None:
    with pytest.raises(WrongSettings, match="1 partitions are not together"):
        await Hosting(StandIn()).host.on_assignment({TP("in", 0), TP("express", 0), TP("in", 1)}, 1)


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
