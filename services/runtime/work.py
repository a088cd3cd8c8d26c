"""What a process does with the partitions it has open: decides, ticks and sweeps, one partition at a time."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, Protocol

from faust.types import TP

from services.runtime import journal, metrics
from services.runtime.agent import Agent, NotYet, handle_each, sweep_each, tick
from services.runtime.outbox import Outbox, Reached
from services.runtime.partition import Partition
from services.runtime.records import Batch, Record
from services.runtime.schedule import Job, choose
from services.runtime.state import SWEEP
from services.runtime.watchdog import Pulse

SWEEP_CHUNK = 500
RETRY_SECONDS = 0.1
STEP_SECONDS = 0.05
FEWEST = 50
FIRST_COST_SECONDS = 50e-6
"""Of a record, before any has been decided."""
SECOND = 1.0


class Source(Protocol):
    """Who batches come from."""

    def is_current(self, batch: Batch) -> bool: ...
    def release(self, batch: Batch) -> None: ...
    def decided_until(self, tp: TP) -> int | None: ...


class Work:
    """The jobs of all open partitions. `fail` is told what a partition cannot be gone on with for."""

    def __init__(
        self, agent: Agent, pulse: Pulse, source: Callable[[], Source],
        fail: Callable[[Partition, BaseException], None],
    ) -> None:  # fmt: skip
        self.agent = agent
        self.pulse = pulse
        self.partitions: dict[int, Partition] = {}
        self.newest: dict[tuple[str, int], float] = {}
        """Topic and partition → when (epoch seconds) the newest input was made that the state reflects."""
        self._source = source
        self._fail = fail
        self._cost = FIRST_COST_SECONDS
        self._resting = False
        self._jobs: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    async def rest(self, timeout_seconds: float) -> None:
        """Begin nothing more until `go_on`, and let what is under way end, if it can in time."""
        self._resting = True
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=timeout_seconds)

    def go_on(self) -> None:
        self._resting = False

    def take(self, batch: Batch) -> None:
        """Put a batch on its lane, or drop it if its partition went or was sought since."""
        partition = self.partitions.get(batch.partition)
        if partition is None or not self._source().is_current(batch):
            return
        partition.worklist.lanes[batch.topic].batches.append(batch)
        self._wake.set()

    async def go(self) -> None:
        """Do one job after another, for as long as the process runs."""
        while True:
            chosen = choose(self._in_turn(), time.monotonic())
            if chosen is None:
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), RETRY_SECONDS)
                continue
            number, job = chosen
            task = asyncio.create_task(self._do(self.partitions[number], job))
            self._jobs.add(task)
            task.add_done_callback(self._jobs.discard)
            # It runs until it is decided, or waits for a provider; only then is the next one chosen.
            await asyncio.sleep(0)

    def _in_turn(self) -> Iterator[tuple[int, Any]]:
        """Who has just had a turn comes last."""
        if self._resting:
            return iter(())
        return ((number, partition.worklist) for number, partition in self.partitions.items())

    async def _do(self, partition: Partition, job: Job) -> None:
        if not self._holds(partition):
            return
        self.partitions[partition.number] = self.partitions.pop(partition.number)
        place = (self.agent.stage, partition.number)
        self.pulse.progress(*place)
        partition.worklist.deciding = True
        try:
            match job:
                case "tick":
                    commit = await self._tick(partition)
                case "sweep":
                    commit = await self._sweep_chunk(partition)
                case _:
                    commit = await self._decide(partition, job)
            partition.worklist.deciding = False
            self._wake.set()
            if commit is not None:
                await commit
                self._wake.set()
            if not partition.worklist.deciding and not partition.worklist.committing:
                self.pulse.done(*place)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # Faust would acknowledge it and go on
            if self._holds(partition):
                self._fail(partition, error)
            # Else it was given up meanwhile: its store may be closed, its producer fenced, and nothing was committed.
            self.pulse.done(*place)

    async def _decide(self, partition: Partition, batch: Batch) -> "asyncio.Task[None] | None":
        """Decide a batch and begin its commit; if it must wait, it stays the first of its lane."""
        lane = partition.worklist.lanes[batch.topic]
        batches = lane.together()
        records = _undecided(batches, partition.position.get(batch.topic, 0))[: self._most()]
        began = time.monotonic()
        outbox = self._outbox(partition)
        try:
            if records:
                await handle_each(self.agent, records, outbox)
        except NotYet as missing:
            if not lane.not_before:
                journal.emit(journal.WAITING, stage=self.agent.stage, partition=batch.partition, code=missing.code)
            lane.not_before = time.monotonic() + RETRY_SECONDS
            metrics.waiting(self.agent.stage, batch.topic, missing.code)
            return None
        lane.not_before = 0.0
        if not self._holds(partition) or not lane.batches or lane.batches[0] is not batch:
            return None  # given up or sought while it was decided: it comes again
        position = records[-1].offset + 1 if records else None
        for each in batches:
            if position is not None and each.records[-1].offset >= position:
                break  # the rest of it has its turn after an erasure that may have come
            lane.batches.popleft()
            self._source().release(each)
        if position is None:
            return None
        partition.worklist.duty_last = False
        seconds = time.monotonic() - began
        self._cost += (seconds / len(records) - self._cost) / 8
        commit = partition.commit(outbox, {batch.topic: position})
        commit.add_done_callback(partial(self._count, outbox, records, seconds, time.monotonic()))
        return commit

    def _most(self) -> int:
        """How many records may be decided in one step, by what the last ones cost: an erasure waits no longer."""
        return max(FEWEST, int(STEP_SECONDS / self._cost))

    def _count(  # what there is to count of a batch
        self, outbox: Outbox, records: Sequence[Record], seconds: float, decided: float, commit: "asyncio.Task[None]"
    ) -> None:
        if commit.cancelled() or commit.exception():
            return
        newest = records[-1]
        self.newest[newest.topic, newest.partition] = newest.timestamp / 1000
        metrics.committed(
            self.agent.stage, newest.topic, newest.partition, records=len(records), outputs=len(outbox.outputs),
            decide_seconds=seconds, commit_seconds=time.monotonic() - decided,
        )  # fmt: skip

    def _holds(self, partition: Partition) -> bool:
        return self.partitions.get(partition.number) is partition

    def _outbox(self, partition: Partition) -> Outbox:
        return Outbox(
            self.agent.stage, partition.number, partition.state, time.time_ns() // 1000, partition.pending,
            self._reached(partition),
        )  # fmt: skip

    def is_caught_up(self, tp: TP) -> bool:
        """Whether all that was fetched of it is decided."""
        lane = self.partitions[tp.partition].worklist.lanes[tp.topic]
        return not lane.batches and self._source().decided_until(tp) is not None

    async def keep_time(self) -> None:
        """Call every second."""
        while True:
            self.second()
            await asyncio.sleep(SECOND)

    def second(self) -> None:
        """Have every partition do what is due: what time asks for, and what rests on other policies than today's."""
        token = self.agent.sweep_token(datetime.now(UTC))
        for partition in self.partitions.values():
            partition.worklist.add("tick")
            if _swept(partition) != (token, b"end"):
                partition.worklist.add("sweep")
        self._wake.set()

    async def _tick(self, partition: Partition) -> "asyncio.Task[None] | None":
        partition.worklist.due.popleft()
        partition.worklist.duty_last = True
        outbox = self._outbox(partition)
        if await tick(self.agent, outbox):
            partition.worklist.add("tick")
        return partition.commit(outbox, {}) if self._holds(partition) and (outbox.outputs or outbox.changes) else None

    def _reached(self, partition: Partition) -> Reached:
        """How far each lane is decided. A topic's end counts transaction markers, so that no record's offset tells."""
        until: dict[str, int] = {}
        for topic, lane in partition.worklist.lanes.items():
            at_ms = None if lane.batches else self._source().decided_until(TP(topic, partition.number))
            if at_ms is not None:
                until[topic] = at_ms * 1000
            if at_ms is not None or partition.position.get(topic, 0) >= partition.backlog.get(topic, 0):
                partition.backlog.pop(topic, None)
        return Reached(until, frozenset(partition.backlog))

    async def _sweep_chunk(self, partition: Partition) -> "asyncio.Task[None] | None":
        """Bring some of what is remembered up to what it now rests on; the cursor is committed with it."""
        partition.worklist.due.popleft()
        partition.worklist.duty_last = True
        token = self.agent.sweep_token(datetime.now(UTC))
        done, after = _swept(partition)
        if (done, after) == (token, b"end"):
            return None
        outbox = self._outbox(partition)
        start = after if done == token and after else None
        chunk = list(islice(partition.state.scan(self.agent.swept, start), SWEEP_CHUNK))
        try:
            await sweep_each(self.agent, chunk, outbox)
        except NotYet:
            return None
        more = len(chunk) == SWEEP_CHUNK
        outbox.put(SWEEP, token + b" " + (chunk[-1][0] if more else b"end"))
        if more:
            partition.worklist.add("sweep")
        return partition.commit(outbox, {}) if self._holds(partition) else None


def _undecided(batches: Sequence[Batch], start: int) -> list[Record]:
    """Their records from `start` on, each once, should they overlap."""
    records: list[Record] = []
    for batch in batches:
        records += [record for record in batch.records if record.offset >= start]
        start = max(start, batch.records[-1].offset + 1)
    return records


def _swept(partition: Partition) -> tuple[bytes, bytes]:
    """Which token the sweep has got to, and after which key it goes on."""
    token, _, after = (partition.state.get(SWEEP) or b"").partition(b" ")
    return token, after
