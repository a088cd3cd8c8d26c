"""Which signs of life a host gives while something of it hangs, and that it gives none of what it gave up."""

import asyncio
from collections.abc import Sequence

import pytest
from faust.types import TP

from services.contract.account import Account
from services.runtime import schedule
from services.runtime.outbox import Outbox
from services.runtime.records import Record
from services.runtime.state import SWEEP
from services.runtime.watchdog import Pulse, silence
from tests.unit.hosting import Hosting
from tests.unit.stand_in_agent import StandIn

LIMIT = 60.0


class SetPulse(Pulse):
    """By a clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 1000.0
        super().__init__(lambda: self.now)

    def silent_after(self, seconds: float) -> str | None:
        self.now += seconds
        self.beat()
        return silence(self.pulses, self.now, LIMIT)


def watched(at: Hosting[StandIn]) -> SetPulse:
    at.host.pulse = at.host.work.pulse = pulse = SetPulse()
    return pulse


async def test_trap_06_commit_that_hangs_is_noticed_though_every_second_brings_something_to_do() -> None:
    async with Hosting(StandIn()) as at:
        pulse = watched(at)
        at.state.apply({SWEEP: b"t1 end"})
        at.producer.lets.clear()
        at.take("in", b"a")
        await at.until(lambda: at.partition.worklist.committing == 1)
        hangs = None
        for _ in range(61):
            hangs = hangs or pulse.silent_after(1.0)
            at.host.work.second()
            await at.until(lambda: not at.partition.worklist.due and not at.partition.worklist.deciding)
        at.producer.lets.set()
        await at.until(lambda: at.state.next_offset("in") == 1 and not pulse.pulses.work)

        assert hangs == "work-stuck"
        assert pulse.silent_after(3600.0) is None


async def test_trap_06_partition_that_is_never_opened_is_noticed() -> None:
    at = Hosting(StandIn())
    pulse, opens = watched(at), asyncio.Event()
    await at.host.on_assignment(set(), 1)
    at.opening = opens.wait
    await at.host.on_assignment({TP("express", 0), TP("in", 0)}, 2)
    await at.until(lambda: bool(pulse.pulses.work))
    hangs = pulse.silent_after(61.0)
    opens.set()
    await at.until(lambda: bool(at.host.partitions) and not pulse.pulses.work)

    assert hangs == "work-stuck"
    assert pulse.silent_after(3600.0) is None
    await at.host.close()


class Slow(StandIn):
    """Takes its time over everything but the first record."""

    def __init__(self) -> None:
        super().__init__()
        self.lets = asyncio.Event()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        await super().handle(records, outbox, account)
        if records[0].offset:
            await self.lets.wait()


async def test_nobody_is_ended_for_work_that_was_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "GATHER_SECONDS", 60.0)
    monkeypatch.setattr(schedule, "TOGETHER", 1)
    async with Hosting(Slow()) as at:
        at.take("in", b"a", first=0)
        at.take("in", b"a", first=1)
        await at.until(lambda: at.agent.handled == [0, 1])
        await at.host.on_revocation()
        await at.host.on_assignment(set(), 1)
        at.agent.lets.set()
        await at.until(lambda: not at.host.work._jobs)

        assert at.host.pulse.pulses.work == {}
        assert at.state.next_offset("in") is None
