"""One step after another, of a lane or of what is due: decided, and gathered for the partition's next transaction."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from faust.types import TP

from services.runtime import journal, metrics
from services.runtime.agent import Agent, NotYet, handle_each
from services.runtime.duties import attend
from services.runtime.outbox import Outbox, Reached
from services.runtime.partition import Gathered, Partition
from services.runtime.records import Batch, CaughtUp, Record, undecided
from services.runtime.schedule import Duty, Pace

RETRY_SECONDS = 0.1


class Source(Protocol):
    """Who batches come from."""

    def is_current(self, batch: Batch) -> bool: ...
    def release(self, batch: Batch) -> None: ...
    def decided_until(self, tp: TP) -> CaughtUp | None: ...


class Steps:
    """How all partitions of a process decide. `holds` says whether one is still ours."""

    def __init__(self, agent: Agent, source: Callable[[], Source], holds: Callable[[Partition], bool]) -> None:
        self.newest: dict[tuple[str, int], float] = {}
        """Topic and partition → when (epoch seconds) the newest input was made that the state reflects."""
        self._agent = agent
        self._source = source
        self._holds = holds
        self._paces: defaultdict[str, Pace] = defaultdict(Pace)

    async def decide(self, partition: Partition, batch: Batch) -> None:
        """Decide a step of a lane and gather it; if its first batch must wait, it stays the first."""
        lane = partition.worklist.lanes[batch.topic]
        batches = lane.together()
        records = undecided(batches, partition.position.get(batch.topic, 0))[: self._paces[batch.topic].most]
        began = time.monotonic()
        gathered = self._gathered(partition)
        outbox, start = gathered.outbox, gathered.outbox.savepoint()
        try:
            if records:
                await handle_each(self._agent, records, outbox)
        except NotYet as missing:
            outbox.rollback(start)
            self._wait(partition, batch, missing.code)
            return
        lane.not_before = 0.0
        if not self._holds(partition) or not lane.batches or lane.batches[0] is not batch:
            outbox.rollback(start)
            return  # given up or sought while it was decided: it comes again
        position = records[-1].offset + 1 if records else None
        for each in batches:
            if position is not None and each.records[-1].offset >= position:
                break  # the rest of it has its turn after an erasure that may have come
            lane.batches.popleft()
            self._source().release(each)
        if position is None:
            return
        partition.worklist.duty_last = False
        ended = time.monotonic()
        self._paces[batch.topic].learn(len(records), ended - began)
        count = partial(self._count, records, len(outbox.outputs) - start.outputs, ended - began, ended)
        gathered.positions[batch.topic] = partition.position[batch.topic] = position
        gathered.durable.append(count)
        partition.gather(gathered, ended, express=partition.worklist.is_express(batch.topic))

    async def attend(self, partition: Partition, duty: Duty) -> None:
        """Do what is due, and gather what there is of it."""
        gathered = self._gathered(partition)
        more = await attend(self._agent, duty, gathered.outbox)
        if not self._holds(partition):
            return  # given up, and what is gathered of it with it
        if more:
            partition.worklist.add(duty, goes_on=True)
        if gathered.outbox.size:
            partition.gather(gathered, time.monotonic(), express=False)

    def _gathered(self, partition: Partition) -> Gathered:
        """What the next step joins: what waits to be committed, or nothing yet."""
        if partition.gathered is None:
            return Gathered(self._outbox(partition))
        partition.gathered.outbox.go_on(time.time_ns() // 1000, self._reached(partition))
        return partition.gathered

    def _wait(self, partition: Partition, batch: Batch, code: str) -> None:
        lane = partition.worklist.lanes[batch.topic]
        if not lane.not_before:
            journal.emit(journal.WAITING, stage=self._agent.stage, partition=batch.partition, code=code)
        lane.not_before = time.monotonic() + RETRY_SECONDS
        metrics.waiting(self._agent.stage, batch.topic, code)

    def _count(self, records: Sequence[Record], outputs: int, seconds: float, decided: float) -> None:
        """Once it is durable."""
        newest = records[-1]
        if newest.timestamp > 0:  # of an unreadable one it is not known
            self.newest[newest.topic, newest.partition] = newest.timestamp / 1000
        metrics.committed(
            self._agent.stage, newest.topic, newest.partition, records=len(records), outputs=outputs,
            decide_seconds=seconds, commit_seconds=time.monotonic() - decided,
        )  # fmt: skip

    def _outbox(self, partition: Partition) -> Outbox:
        return Outbox(
            self._agent.stage, partition.number, partition.state, time.time_ns() // 1000, partition.pending,
            self._reached(partition), partition.count,
        )  # fmt: skip

    def _reached(self, partition: Partition) -> Reached:
        """How far each lane is decided. A topic's end counts transaction markers, so that no record's offset tells."""
        until: dict[str, int] = {}
        ends: dict[str, int] = {}
        for topic, lane in partition.worklist.lanes.items():
            caught_up = None if lane.batches else self._source().decided_until(TP(topic, partition.number))
            if caught_up is not None:
                until[topic], ends[topic] = caught_up.at_ms * 1000, caught_up.end
            if caught_up is not None or partition.position.get(topic, 0) >= partition.backlog.get(topic, 0):
                partition.backlog.pop(topic, None)
        return Reached(until, frozenset(partition.backlog), ends)
