"""A worker of one partition over a cluster that outlives it: it may be cut short anywhere, and another goes on."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson
from faust.types import TP

from services.contract.account import Account
from services.runtime.outbox import Outbox, Output
from services.runtime.partition import Partition
from services.runtime.records import Batch, CaughtUp, FetchedRecord, Record
from services.runtime.schedule import Worklist
from services.runtime.state import SWEEP
from tests.unit.hosting import Hosting, SenderHere, StandInConsumer, StandInProducer, StandInStore
from tests.unit.stand_in_agent import StandIn

LANES = ("express", "in")
TPS = {TP(lane, 0) for lane in LANES}


class Counting(StandIn):
    """Numbers what it is told over both lanes: what is lost, repeated or read stale shows in every later number."""

    def __init__(self) -> None:
        super().__init__()
        self.goes = asyncio.Event()
        """Else it stops in the middle of whatever it does."""
        self.goes.set()

    async def handle(self, records: Sequence[Record], outbox: Outbox, account: Account) -> None:
        for record in records:
            place = f"{record.topic}/{record.offset}".encode()
            number = b"%d" % (int(outbox.get(b"n") or 0) + 1)
            outbox.put(b"n", number)
            outbox.put(b"s/" + place, self.token)
            outbox.send("out", place, number)
            account.end(record.offset, "-", "held", "seen")
            self._take(record.value or b"")
            await self.goes.wait()

    async def tick(self, outbox: Outbox, account: Account) -> bool:  # noqa: ARG002  # nothing to account for
        outbox.send("beat", None, orjson.dumps(outbox.reached.ends))
        await self.goes.wait()
        return False

    async def sweep(self, entries: Sequence[tuple[bytes, bytes]], outbox: Outbox, account: Account) -> None:
        for number, (key, _) in enumerate(entries):
            outbox.put(key, self.token)
            outbox.send("swept", key, self.token)
            account.end(number, "-", "held", "swept")


class Cluster(StandInProducer):
    """What outlives every worker: what was said on the lanes, and every transaction, let through one by one."""

    def __init__(self) -> None:
        super().__init__()
        self.turns = asyncio.Semaphore(0)
        self.said: dict[str, list[bytes]] = {lane: [] for lane in LANES}
        self.journal: list[tuple[list[Output], Mapping[bytes, bytes | None]]] = []

    async def begin_transaction(self) -> None:
        await self.turns.acquire()
        error, self.error = self.error, None
        if error:
            raise error

    def state(self) -> StandInStore:
        made = StandInStore()
        for _, changes in self.journal:
            made.apply(changes)
        return made


class Journalled(Partition):
    async def _transact(self, outbox: Outbox, changes: Mapping[bytes, bytes | None]) -> int:
        await self.producer.begin_transaction()
        cast("Any", self.producer).journal.append((list(outbox.outputs), changes))
        return 0


class Fetching(StandInConsumer):
    """Fetches what was said from where it was last sought, three batches of a lane at most."""

    def __init__(self, worker: "Worker") -> None:
        super().__init__()
        self.worker = worker
        self.at = dict.fromkeys(LANES, 0)
        self.seeks = dict.fromkeys(LANES, 0)
        self.waiting = dict.fromkeys(LANES, 0)
        self.on_the_way: list[Batch] = []

    def is_current(self, batch: Batch) -> bool:
        return self.seeks[batch.topic] == batch.seek

    def hold(self, tps: set[TP]) -> None:
        super().hold(tps)
        for tp in tps:
            self.seeks[tp.topic] += 1
            self.waiting[tp.topic] = 0

    async def go_on(self, tps: set[TP]) -> None:
        for tp in tps:
            self.at[tp.topic] = self.worker.host.next_offset(tp) or 0
        await super().go_on(tps)

    def release(self, batch: Batch) -> None:
        if self.is_current(batch):
            self.waiting[batch.topic] -= 1

    def decided_until(self, tp: TP) -> CaughtUp | None:
        at, said = self.at[tp.topic], len(self.worker.cluster.said[tp.topic])
        return CaughtUp(at, at) if tp in self.fetched and at == said and not self.waiting[tp.topic] else None

    def fetch(self, size: int) -> None:
        while self.on_the_way and size > 1:
            self.worker.host.work.take(self.on_the_way.pop(0))
        for lane, said in self.worker.cluster.said.items():
            first = self.at[lane]
            if TP(lane, 0) in self.fetched and self.waiting[lane] < 3 and said[first:]:
                rows = [FetchedRecord(lane, 0, n, 1, b"k", value) for n, value in enumerate(said)][first : first + size]
                self.at[lane] += len(rows)
                self.waiting[lane] += 1
                self.on_the_way.append(Batch(lane, 0, self.seeks[lane], rows))


class Worker(Hosting[Counting]):
    """One life of a process."""

    def __init__(self, cluster: Cluster, agent: Counting) -> None:
        self.cluster, self.generation = cluster, 0
        super().__init__(agent, cluster, session_timeout_seconds=0.001)
        self.host.app.consumer = self.fetching = Fetching(self)
        self._work = asyncio.create_task(self.host.work.go())

    def _partition(self) -> Partition:
        state = self.cluster.state()
        position = {lane: at for lane in LANES if (at := state.next_offset(lane)) is not None}
        return Journalled(
            0, "state", cast("Any", state), cast("Any", self.cluster), cast("Any", SenderHere()),
            Worklist.of(LANES, 1), position,
        )  # fmt: skip

    async def divide(self, generations: int) -> None:
        """All partitions are divided anew; of more than one generation this process saw the last alone."""
        self.generation += generations
        await self.host.on_revocation()
        await self.host.on_assignment(TPS, self.generation)

    async def die(self) -> None:
        # Again and again: Python 3.11's `wait_for` may miss being cancelled.
        while tasks := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks, timeout=0.001)

    @property
    def is_done(self) -> bool:
        partition, said = self.host.partitions.get(0), self.cluster.said
        return (
            partition is not None
            and partition.worklist.at_rest
            and all((partition.state.next_offset(lane) or 0) == len(said[lane]) for lane in LANES)
            and partition.state.get(SWEEP) == self.agent.token + b" end"
        )
