"""Runs one agent over the partitions that a process is assigned: opens, decides, sweeps and gives them up."""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import Any, cast

from faust.types import TP

from services.contract.errors import WrongSettings
from services.runtime import journal, metrics
from services.runtime.agent import Agent, NotYet, handle_each, sweep_each, tick
from services.runtime.outbox import Outbox, Reached
from services.runtime.partition import Partition, open_partition
from services.runtime.policies import PolicyReader
from services.runtime.records import Batch, Record
from services.runtime.schedule import Job, choose
from services.runtime.sender import Sender
from services.runtime.settings import Settings
from services.runtime.state import SWEEP
from services.runtime.transport import BatchingConsumer
from services.runtime.watchdog import Pulse

EX_SOFTWARE = 70
SWEEP_CHUNK = 500
RETRY_SECONDS = 0.1
SECOND = 1.0


class Host:
    """Runs one agent over the partitions that this process is assigned."""

    def __init__(self, agent: Agent, settings: Settings, policies: PolicyReader, pulse: Pulse) -> None:
        self.agent = agent
        self.settings = settings
        self.policies = policies
        self.pulse = pulse
        self.newest: dict[tuple[str, int], float] = {}
        """Topic and partition → when (epoch seconds) the newest input was made that the state reflects."""
        self.partitions: dict[int, Partition] = {}
        self.app: Any = None
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._closing: dict[int, asyncio.Task[None]] = {}
        self._going_on: set[asyncio.Task[None]] = set()
        self._resting = False
        self._jobs: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._sender = Sender()

    @property
    def consumer(self) -> BatchingConsumer:
        return cast("BatchingConsumer", self.app.consumer)

    async def on_revocation(self) -> None:
        """Begin nothing more until partitions are assigned again, and let what is under way end, if it can in time.

        Else whoever comes next would fence it in the middle of its work.
        """
        self._resting = True
        if self._jobs:
            await asyncio.wait(self._jobs, timeout=self.settings.session_timeout_seconds)

    async def on_assignment(self, assigned: set[TP]) -> None:
        """Close what went, keep what stayed (its producer is fenced if another had it meanwhile), open what came.

        Waits for nobody: Faust gives an assignment up that is not done in time, and never takes another one.
        """
        numbers = {tp.partition for tp in assigned if tp.topic in self.agent.lanes}
        if missing := {TP(t, n) for t in self.agent.lanes for n in numbers} - assigned:
            message = f"{len(missing)} partitions are not together: all input topics need the same partition count"
            raise WrongSettings(message)
        for number in [n for n in (*self.partitions, *self._opening) if n not in numbers]:
            self._give_up(number)
        self._resting = False
        journal.emit(journal.ASSIGNED, stage=self.agent.stage, partitions=len(numbers))
        for number in sorted(numbers):
            self.consumer.hold(self._lanes_of(number))
            if number in self.partitions:
                task = asyncio.create_task(self._stay(number))
                self._going_on.add(task)
                task.add_done_callback(self._going_on.discard)
            elif number not in self._opening:
                self._opening[number] = asyncio.create_task(self._open(number, self._closing.pop(number, None)))

    def next_offset(self, tp: TP) -> int | None:
        return self.partitions[tp.partition].position.get(tp.topic)

    def _lanes_of(self, number: int) -> set[TP]:
        return {TP(topic, number) for topic in self.agent.lanes}

    async def _go_on(self, number: int) -> None:
        """Fetch a partition from where it was decided to; what was fetched before is void."""
        if number not in self.partitions:
            return  # given up before its turn came
        for lane in self.partitions[number].worklist.lanes.values():
            lane.batches.clear()
        await self.consumer.go_on(self._lanes_of(number))

    async def _stay(self, number: int) -> None:
        try:
            await self._go_on(number)
        except Exception as error:  # noqa: BLE001  # a partition that nobody fetches must not look well
            self.leave(error)

    def _give_up(self, number: int) -> None:
        opening, partition = self._opening.pop(number, None), self.partitions.pop(number, None)
        if opening:
            opening.cancel()
            self._closing[number] = opening
        if partition:
            self._closing[number] = asyncio.create_task(self._close(partition))

    async def _close(self, partition: Partition) -> None:
        try:
            await partition.close()
        except Exception as error:  # noqa: BLE001  # a store that is still open could never be opened again
            self.leave(error)

    async def close(self) -> None:
        """Let what is under way end, and go: what was not committed is read again by whoever comes next."""
        for number in [*self.partitions, *self._opening]:
            self._give_up(number)
        if self._closing:
            await asyncio.wait(self._closing.values())
        journal.emit(journal.STOPPED, stage=self.agent.stage)

    async def _open(self, number: int, closing: "asyncio.Task[None] | None") -> None:
        """Open a partition, once whatever this process had of it before is closed."""
        try:
            if closing:
                await asyncio.wait([closing])
            await self.policies.caught_up.wait()
            partition = await open_partition(self.agent, self.settings, self._sender, number)
            try:
                ends = await self.consumer.ends(self._lanes_of(number))
            except BaseException:
                await partition.close()
                raise
            partition.backlog = {tp.topic: end for tp, end in ends.items()}
            self.partitions[number] = partition
            del self._opening[number]
            await self._go_on(number)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # without its state a partition must not be worked on
            self.leave(error)

    def leave(self, error: BaseException) -> None:
        """End the process at once, acknowledging nothing; the supervisor starts it again from its state."""
        journal.emit(journal.FAILED, stage=self.agent.stage, kind=type(error).__name__, where=journal.where(error))
        os._exit(EX_SOFTWARE)

    def take(self, batch: Batch) -> None:
        """Put a batch on its lane, or drop it if its partition went or was sought since."""
        partition = self.partitions.get(batch.partition)
        if partition is None or not self.consumer.is_current(batch):
            return
        partition.worklist.lanes[batch.topic].batches.append(batch)
        self._wake.set()

    async def work(self) -> None:
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
                self.leave(error)
            # Else it was given up meanwhile: its store may be closed, its producer fenced, and nothing was committed.
            self.pulse.done(*place)

    async def _decide(self, partition: Partition, batch: Batch) -> "asyncio.Task[None] | None":
        """Decide a batch and begin its commit; if it must wait, it stays the first of its lane."""
        lane = partition.worklist.lanes[batch.topic]
        start = partition.position.get(batch.topic, 0)
        batches = lane.together()
        records = [record for each in batches for record in each.records if record.offset >= start]
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
        for each in batches:
            lane.batches.popleft()
            self.consumer.release(each)
        if not records:
            return None
        partition.worklist.duty_last = False
        commit = partition.commit(outbox, {batch.topic: records[-1].offset + 1})
        commit.add_done_callback(partial(self._count, outbox, records, time.monotonic() - began, time.monotonic()))
        return commit

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
        return not lane.batches and self.consumer.decided_until(tp) is not None

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
            at_ms = None if lane.batches else self.consumer.decided_until(TP(topic, partition.number))
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


def _swept(partition: Partition) -> tuple[bytes, bytes]:
    """Which token the sweep has got to, and after which key it goes on."""
    token, _, after = (partition.state.get(SWEEP) or b"").partition(b" ")
    return token, after
