"""Holds the partitions that a process is assigned: opens them, goes on with them and gives them up."""

import asyncio
import os
from typing import Any, cast

from faust.types import TP

from services.contract.errors import WrongSettings
from services.runtime import journal
from services.runtime.agent import Agent
from services.runtime.partition import Partition, open_partition
from services.runtime.policies import PolicyReader
from services.runtime.sender import Sender
from services.runtime.settings import Settings
from services.runtime.transport import BatchingConsumer
from services.runtime.watchdog import Pulse
from services.runtime.work import Work

EX_SOFTWARE = 70


class Host:
    """Runs one agent over the partitions that this process is assigned."""

    def __init__(self, agent: Agent, settings: Settings, policies: PolicyReader, pulse: Pulse) -> None:
        self.agent = agent
        self.settings = settings
        self.policies = policies
        self.pulse = pulse
        self.app: Any = None
        # By name, at every call: the tests' own process stays.
        self.work = Work(agent, pulse, lambda: self.consumer, lambda error: self.leave(error))  # noqa: PLW0108
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._closing: dict[int, asyncio.Task[None]] = {}
        self._going_on: set[asyncio.Task[None]] = set()
        self._sender = Sender()

    @property
    def partitions(self) -> dict[int, Partition]:
        """Those that are open, by number."""
        return self.work.partitions

    @property
    def consumer(self) -> BatchingConsumer:
        return cast("BatchingConsumer", self.app.consumer)

    async def on_revocation(self) -> None:
        """Begin nothing more until partitions are assigned again, and let what is under way end, if it can in time.

        Else whoever comes next would fence it in the middle of its work.
        """
        await self.work.rest(self.settings.session_timeout_seconds)

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
        self.work.go_on()
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
