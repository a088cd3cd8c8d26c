"""Runs one agent over the partitions that a process is assigned: opens, works, sweeps and gives them up."""

import asyncio
import os
import time
from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from faust.types import TP

from services.contract.errors import WrongSettings
from services.runtime import journal
from services.runtime.agent import Agent, NotYet, handle_each, sweep_each
from services.runtime.outbox import Outbox
from services.runtime.partition import Partition, open_partition
from services.runtime.policies import PolicyReader
from services.runtime.records import Batch
from services.runtime.settings import Settings
from services.runtime.state import SWEEP
from services.runtime.transport import BatchingConsumer

EX_SOFTWARE = 70
SWEEP_CHUNK = 500
RETRY_SECONDS = 0.1
COMMIT_SECONDS = 90.0


class Host:
    """Runs one agent over the partitions that this process is assigned."""

    def __init__(self, agent: Agent, settings: Settings, policies: PolicyReader) -> None:
        self.agent = agent
        self.settings = settings
        self.policies = policies
        self.partitions: dict[int, Partition] = {}
        self._opening: dict[int, asyncio.Task[None]] = {}
        self.app: Any = None

    @property
    def consumer(self) -> BatchingConsumer:
        return cast("BatchingConsumer", self.app.consumer)

    async def on_assignment(self, assigned: set[TP]) -> None:
        """Close what went, keep what stayed (its producer is fenced if another had it meanwhile), open what came."""
        numbers = {tp.partition for tp in assigned if tp.topic in self.agent.lanes}
        if missing := {TP(t, n) for t in self.agent.lanes for n in numbers} - assigned:
            message = f"{len(missing)} partitions are not together: all input topics need the same partition count"
            raise WrongSettings(message)
        for number in [n for n in (*self.partitions, *self._opening) if n not in numbers]:
            await self._give_up(number)
        journal.emit(journal.ASSIGNED, stage=self.agent.stage, partitions=len(numbers))
        for number in sorted(numbers):
            self.consumer.hold(self._lanes_of(number))
            if number in self.partitions:
                await self.consumer.go_on(self._lanes_of(number))
            elif number not in self._opening:
                self._opening[number] = asyncio.create_task(self._open(number))

    def next_offset(self, tp: TP) -> int | None:
        return self.partitions[tp.partition].state.next_offset(tp.topic)

    def _lanes_of(self, number: int) -> set[TP]:
        return {TP(topic, number) for topic in self.agent.lanes}

    async def _give_up(self, number: int) -> None:
        if task := self._opening.pop(number, None):
            task.cancel()
        if partition := self.partitions.pop(number, None):
            await partition.close()

    async def close(self) -> None:
        """Let what is under way end, and go: what was not committed is read again by whoever comes next."""
        for number in [*self.partitions, *self._opening]:
            await self._give_up(number)
        journal.emit(journal.STOPPED, stage=self.agent.stage)

    async def _open(self, number: int) -> None:
        try:
            await self.policies.caught_up.wait()
            self.partitions[number] = await open_partition(self.agent, self.settings, number)
            self._opening.pop(number, None)
            await self.consumer.go_on(self._lanes_of(number))
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # without its state a partition must not be worked on
            self.leave(error)

    def leave(self, error: BaseException) -> None:
        """End the process at once, acknowledging nothing; the supervisor starts it again from its state."""
        journal.emit(journal.FAILED, stage=self.agent.stage, kind=type(error).__name__, where=journal.where(error))
        os._exit(EX_SOFTWARE)

    async def process(self, batch: Batch) -> None:
        """Decide a batch and commit it, or drop it if its partition went or was sought since."""
        waiting = False
        while missing := await self._attempt(batch):
            if not waiting:
                journal.emit(journal.WAITING, stage=self.agent.stage, partition=batch.partition, code=missing)
            waiting = True
            # Without the lock: the other lane goes on meanwhile, and the partition can be given up.
            await asyncio.sleep(RETRY_SECONDS)

    async def _attempt(self, batch: Batch) -> str | None:
        """What the batch must still wait for; null when it is done with."""
        partition = self.partitions.get(batch.partition)
        if partition is None or not self.consumer.is_current(batch):
            return None
        async with partition.lock:
            start = partition.state.next_offset(batch.topic) or 0
            records = [record for record in batch.records if record.offset >= start]
            if not records or partition is not self.partitions.get(batch.partition):
                return None
            began = time.monotonic()
            outbox = self._outbox(partition)
            try:
                await handle_each(self.agent, records, outbox)
            except NotYet as missing:
                return missing.code
            await asyncio.wait_for(
                partition.commit(self.agent, outbox, {batch.topic: records[-1].offset + 1}), COMMIT_SECONDS
            )
            outbox.announce()
            journal.emit(
                journal.COMMITTED, stage=self.agent.stage, partition=batch.partition, topic=batch.topic,
                records=len(records), outputs=len(outbox.outputs), seconds=round(time.monotonic() - began, 4),
            )  # fmt: skip
            return None

    def _outbox(self, partition: Partition) -> Outbox:
        return Outbox(self.agent.stage, partition.number, partition.state, time.time_ns() // 1000)

    async def sweep(self) -> None:
        """Bring every partition's remembered decisions up to what they now rest on, a chunk between two batches."""
        token = self.agent.sweep_token(datetime.now(UTC))
        for partition in list(self.partitions.values()):
            while await self._sweep_chunk(partition, token):
                pass

    async def _sweep_chunk(self, partition: Partition, token: bytes) -> bool:
        async with partition.lock:
            done, _, after = (partition.state.get(SWEEP) or b"").partition(b" ")
            if (done == token and after == b"end") or partition is not self.partitions.get(partition.number):
                return False
            outbox = self._outbox(partition)
            start = after if done == token and after else None
            chunk = list(islice(partition.state.scan(self.agent.swept, start), SWEEP_CHUNK))
            try:
                await sweep_each(self.agent, chunk, outbox)
            except NotYet:
                return False
            more = len(chunk) == SWEEP_CHUNK
            outbox.put(SWEEP, token + b" " + (chunk[-1][0] if more else b"end"))
            await asyncio.wait_for(partition.commit(self.agent, outbox, {}), COMMIT_SECONDS)
            return more
