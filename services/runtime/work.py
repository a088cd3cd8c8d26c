"""What a process does with the partitions it has open: decides, ticks and sweeps, one partition at a time."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from faust.types import TP

from services.runtime.agent import Agent
from services.runtime.duties import swept
from services.runtime.partition import Partition
from services.runtime.records import Batch
from services.runtime.schedule import Job, choose
from services.runtime.state import SWEEP
from services.runtime.steps import RETRY_SECONDS, Source, Steps
from services.runtime.watchdog import Pulse

SECOND = 1.0
ARRIVAL_TURNS = 12
"""Of the event loop, between two jobs: what is fetched takes so many to its lane, three a partition, and a commit takes
some to be done. With one turn a job, each would come a dozen jobs late, an erasure too."""
COMMIT = "commit"


class Work:
    """The jobs of all open partitions. `fail` is told what a partition cannot be gone on with for."""

    def __init__(
        self, agent: Agent, pulse: Pulse, source: Callable[[], Source],
        fail: Callable[[Partition, BaseException], None],
    ) -> None:  # fmt: skip
        self.agent = agent
        self.pulse = pulse
        self.partitions: dict[int, Partition] = {}
        self._source = source
        self._steps = Steps(agent, source, self._holds)
        self.newest = self._steps.newest
        self._fail = fail
        self.attempts = 0
        """How often something that came was taken up, be it only to find that it must wait."""
        self._resting = False
        self._jobs: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()

    def rest(self, timeout_seconds: float) -> Coroutine[Any, Any, None]:
        """Begin nothing more from now on until `go_on`; awaited, let what is under way end, if it can in time."""
        self._resting = True
        return self._settle(time.monotonic() + timeout_seconds)

    async def _settle(self, deadline: float) -> None:
        while self._jobs or self._begin_commits():
            if (left := deadline - time.monotonic()) <= 0:
                return
            await asyncio.wait(self._jobs, timeout=left)

    def _begin_commits(self) -> bool:
        """Begin to commit what is gathered anywhere; whether there was any."""
        gathered = [partition for partition in self.partitions.values() if partition.gathered]
        for partition in gathered:
            self._begin(partition, "commit")
        return bool(gathered)

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
            self._begin(self.partitions[number], job)
            # It runs until it is decided, or waits for a provider; only then is the next one chosen.
            for _ in range(ARRIVAL_TURNS):
                await asyncio.sleep(0)

    def _begin(self, partition: Partition, job: Job) -> None:
        task = asyncio.create_task(self._do(partition, job))
        self._jobs.add(task)
        task.add_done_callback(self._jobs.discard)

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
            commit = await self._do_job(partition, job)
            partition.worklist.deciding = False
            self._wake.set()
            if commit is not None:
                await self._await_commit(partition, commit)
            if partition.worklist.at_rest:
                self.pulse.done(*place)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # Faust would acknowledge it and go on
            if self._holds(partition):
                self._fail(partition, error)
            # Else it was given up meanwhile: its store may be closed, its producer fenced, and nothing was committed.
            self.pulse.done(*place)

    async def _await_commit(self, partition: Partition, commit: "asyncio.Task[None]") -> None:
        """A sign of life of its own: what is decided meanwhile says nothing of it."""
        place = (COMMIT, partition.number)
        self.pulse.progress(*place)
        try:
            await commit
        finally:
            self.pulse.done(*place)
        if partition.worklist.committing:
            self.pulse.progress(*place)
        self._wake.set()

    def give_up(self, number: int) -> Partition | None:
        """Begin nothing more of a partition, and keep nothing that is still under way; null where it is not open."""
        self.pulse.done(self.agent.stage, number)
        return self.partitions.pop(number, None)

    async def _do_job(self, partition: Partition, job: Job) -> "asyncio.Task[None] | None":
        """Decide what there is to decide; what is then to be waited for until it is durable."""
        match job:
            case "commit":
                return partition.commit_gathered()
            case "tick" | "sweep":
                partition.worklist.due.remove(job)
                partition.worklist.duty_last = True
                await self._steps.attend(partition, job)
            case _:
                self.attempts += 1
                await self._steps.decide(partition, job)
        return None

    def _holds(self, partition: Partition) -> bool:
        return self.partitions.get(partition.number) is partition

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
            if swept(partition.state.get(SWEEP)) != (token, b"end"):
                partition.worklist.add("sweep")
        self._wake.set()
