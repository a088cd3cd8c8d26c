"""What a step leaves in the transaction that it joins, and what the transactions before it still hold."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import pytest

from services.contract.account import Account
from services.runtime import schedule
from services.runtime.outbox import Outbox
from services.runtime.partition import Partition
from services.runtime.records import Batch, Record, UnreadableRecord
from services.runtime.schedule import FIRST_COST_SECONDS
from tests.unit.hosting import Hosting, StandInProducer
from tests.unit.stand_in_agent import StandIn


async def test_step_that_must_wait_after_one_of_it_has_raised_leaves_what_is_gathered_as_it_was() -> None:
    at = Hosting(StandIn())
    at.agent.ticks = True
    await at.host.work._steps.attend(at.partition, "tick")
    at.take("in", b"raise", b"a", b"wait")
    await at.host.work._steps.decide(at.partition, at.partition.worklist.lanes["in"].batches[0])
    assert at.partition.gathered

    assert at.partition.gathered.outbox.outputs == []
    assert at.partition.gathered.outbox.quarantined == []
    assert at.partition.gathered.outbox.changes == {b"ticked": b""}


class OneByOne(StandInProducer):
    """Lets one transaction through each time it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = asyncio.Semaphore(0)

    async def begin_transaction(self) -> None:
        await self.turns.acquire()


def commit(partition: Partition, key: bytes) -> "asyncio.Task[None]":
    outbox = Outbox("filtering", 0, partition.state, 0, partition.pending)
    outbox.put(key, b"v")
    return partition.commit(outbox, {})


async def test_what_is_durable_is_pending_no_longer_however_many_transactions_follow_each_other() -> None:
    producer = OneByOne()
    partition = Hosting(StandIn(), producer).partition
    commits, pending = [commit(partition, b"0")], []
    for number in range(1, 4):
        commits.append(commit(partition, b"%d" % number))
        producer.turns.release()
        await commits[number - 1]
        pending.append(set(partition.pending))
    producer.turns.release()
    await commits[-1]

    assert pending == [{b"1"}, {b"2"}, {b"3"}]
    assert partition.pending == {}


async def test_erasures_without_end_are_committed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(schedule, "GATHER_MOST", 12)
    monkeypatch.setattr(schedule, "TOGETHER", 1)
    async with Hosting(StandIn()) as at:
        for first in range(20):
            at.take("express", b"e", first=first)
        await at.until(lambda: at.state.next_offset("express") is not None)
        left = len(at.partition.worklist.lanes["express"].batches)
        await at.until(lambda: at.state.next_offset("express") == 20)

    assert left > 0
    assert at.agent.handled == list(range(20))


async def test_what_one_lane_costs_says_nothing_of_another() -> None:
    async with Hosting(StandIn()) as at:
        at.take("express", b"e")
        await at.until(lambda: at.state.next_offset("express") == 1)
        paces = at.host.work._steps._paces

        assert paces["express"].cost_seconds != FIRST_COST_SECONDS
        assert paces["in"].cost_seconds == FIRST_COST_SECONDS


class Dated(StandIn):
    """Takes note of the instants by which it is asked what it rests on, and decides."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[datetime] = []
        self.decided: list[datetime] = []

    def sweep_token(self, now: datetime) -> bytes:
        self.asked.append(now)
        return super().sweep_token(now)

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        self.decided.append(outbox.now)
        await super().sweep(entries, outbox, account)


async def test_sweep_says_by_which_day_it_decided_even_at_midnight() -> None:
    at = Hosting(Dated())
    at.state.apply({b"s/0": b"x"})
    await at.host.work._steps.attend(at.partition, "sweep")

    assert at.agent.asked == at.agent.decided


async def test_age_of_what_was_reached_is_not_told_by_a_record_whose_time_nobody_could_read() -> None:
    async with Hosting(StandIn()) as at:
        at.host.work.take(Batch("in", 0, 1, [UnreadableRecord("in", 0, 0)]))
        await at.until(lambda: at.state.next_offset("in") == 1)

    assert at.host.work.newest == {}


async def test_erasure_that_is_fetched_amid_a_backlog_is_decided_after_the_step_under_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schedule, "FEWEST", 1)
    monkeypatch.setattr(schedule, "STEP_SECONDS", 0.0)
    began = asyncio.Event()

    class Begun(StandIn):
        async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
            await super().handle(records, outbox, account)
            began.set()

    async with Hosting(Begun()) as at:
        at.take("in", *[b"a"] * 50)
        await began.wait()
        # From the consumer's thread to the lane, as counted with a broker: three turns, and three a partition before.
        for _ in range(9):
            await asyncio.sleep(0)
        at.take("express", b"z", first=1000)
        await at.until(lambda: 1000 in at.agent.handled)

    assert at.agent.handled[:3].index(1000) <= 1
