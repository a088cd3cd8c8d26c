"""Holds the partitions that a process is assigned: opens them, goes on with them and gives them up."""

import asyncio
import os
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from aiokafka.errors import ProducerFenced
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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EX_SOFTWARE = 70
OPENING = "opening"


class Host:
    """Runs one agent over the partitions that this process is assigned."""

    def __init__(self, agent: Agent, settings: Settings, policies: PolicyReader, pulse: Pulse) -> None:
        self.agent = agent
        self.settings = settings
        self.policies = policies
        self.pulse = pulse
        self.app: Any = None
        self.work = Work(agent, pulse, lambda: self.consumer, self._fail)
        self._opening: dict[int, asyncio.Task[None]] = {}
        self._closing: dict[int, asyncio.Task[None]] = {}
        self._going_on: set[asyncio.Task[None]] = set()
        self._sender = Sender()
        self._generation = 0
        """Of the group, when partitions were last assigned."""
        self._settled = False
        """Partitions are assigned, and nobody is dividing them anew."""
        self._patience: asyncio.TimerHandle | None = None

    @property
    def partitions(self) -> dict[int, Partition]:
        """Those that are open, by number."""
        return self.work.partitions

    @property
    def consumer(self) -> BatchingConsumer:
        return cast("BatchingConsumer", self.app.consumer)

    async def on_revocation(self) -> None:
        """Begin nothing more until partitions are assigned again, and let what is under way end, if it can in time.

        Else whoever comes next would fence it in the middle of its work, or be fenced by what is still being opened.
        """
        self._await_division()
        opening = list(self._opening.values())
        for number in list(self._opening):
            self._give_up(number)
        seconds = self.settings.session_timeout_seconds
        await asyncio.gather(self.work.rest(seconds), _ended(opening, seconds))

    async def on_assignment(self, assigned: set[TP], generation: int) -> None:
        """Close what went, keep what stayed, open what came.

        Waits for nobody: Faust gives an assignment up that is not done in time, and never takes another one.
        """
        numbers = {tp.partition for tp in assigned if tp.topic in self.agent.lanes}
        if missing := {TP(t, n) for t in self.agent.lanes for n in numbers} - assigned:
            message = f"{len(missing)} partitions are not together: all input topics need the same partition count"
            raise WrongSettings(message)
        # Where the group was divided without this process, another may have had, and fenced, all that it holds.
        stayed = numbers if generation - self._generation in {0, 1} else set()
        for number in [n for n in (*self.partitions, *self._opening) if n not in stayed]:
            self._give_up(number)
        self._await_division()
        self._generation, self._settled = generation, True
        self.work.go_on()
        journal.emit(journal.ASSIGNED, stage=self.agent.stage, partitions=len(numbers))
        for number in sorted(numbers):
            self.consumer.hold(self._lanes_of(number))
            if number in self.partitions:
                task = asyncio.create_task(self._stay(number))
                self._going_on.add(task)
                task.add_done_callback(self._going_on.discard)
            elif number not in self._opening:
                self._opening[number] = asyncio.create_task(self._open(number, self._closing.get(number)))

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

    def _await_division(self) -> None:
        self._settled = False
        if self._patience:
            self._patience.cancel()
            self._patience = None

    def _fail(self, partition: Partition, error: BaseException) -> None:
        """What work on a partition has failed on ends the process, unless it is that another has taken it over.

        Either this process was out of the group without knowing, or the other one was: whoever it is hears so at its
        next heartbeat, and all partitions are divided anew. If nobody does, the fence has another cause.
        """
        if not isinstance(error, ProducerFenced):
            self.leave(error)
            return
        journal.emit(journal.FENCED, stage=self.agent.stage, partition=partition.number)
        self.consumer.hold(self._lanes_of(partition.number))
        self._give_up(partition.number)
        if self._settled and not self._patience:
            self._patience = asyncio.get_running_loop().call_later(
                self.settings.session_timeout_seconds, self.leave, error
            )

    def _give_up(self, number: int) -> None:
        """Whoever opens it again must wait for all that is still open of it, however often it came and went."""
        opening, partition = self._opening.pop(number, None), self.work.give_up(number)
        if opening:
            opening.cancel()
        before = [task for task in (self._closing.get(number), opening) if task]
        self._closing[number] = asyncio.create_task(self._close(before, partition))

    async def _close(self, before: "Sequence[asyncio.Task[None]]", partition: Partition | None) -> None:
        try:
            await _ended(before)
            if partition:
                await partition.close()
        except Exception as error:  # noqa: BLE001  # a store that is still open could never be opened again
            self.leave(error)

    async def close(self) -> None:
        """Let what is under way end, and go: what was not committed is read again by whoever comes next."""
        self._await_division()
        for number in [*self.partitions, *self._opening]:
            self._give_up(number)
        await _ended(list(self._closing.values()))
        journal.emit(journal.STOPPED, stage=self.agent.stage)

    async def _open(self, number: int, closing: "asyncio.Task[None] | None") -> None:
        """Open a partition, once whatever this process had of it before is closed."""
        progress = partial(self.pulse.progress, OPENING, number)
        try:
            await self.policies.caught_up.wait()
            progress()
            if closing:
                await asyncio.wait([closing])
            partition = await self.take_over(number, progress)
            try:
                ends = await self.consumer.ends(self._lanes_of(number))
            except BaseException:
                await partition.close()
                raise
            if self._opening.get(number) is not asyncio.current_task():
                # It was given up, and Kafka's client has swallowed the cancellation: it does while it is closed.
                await partition.close()
                return
            partition.backlog = {tp.topic: end for tp, end in ends.items()}
            self.partitions[number] = partition
            del self._opening[number]
            await self._go_on(number)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001  # without its state a partition must not be worked on
            self.leave(error)
        finally:
            self.pulse.done(OPENING, number)

    async def take_over(self, number: int, progress: "Callable[[], None]") -> Partition:
        """Fence whoever had a partition, and bring its state up to date."""
        return await open_partition(self.agent, self.settings, self._sender, number, progress)

    def leave(self, error: BaseException) -> None:
        """End the process at once, acknowledging nothing; the supervisor starts it again from its state."""
        journal.emit(journal.FAILED, stage=self.agent.stage, kind=type(error).__name__, where=journal.where(error))
        os._exit(EX_SOFTWARE)


async def _ended(tasks: "Sequence[asyncio.Task[None]]", timeout_seconds: float | None = None) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=timeout_seconds)
