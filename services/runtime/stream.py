"""The Faust app of one stage: built in a function, so that nothing connects at import."""

import asyncio
import io
import os
import sys
import time
from collections.abc import Callable
from itertools import islice
from typing import Any, cast

import faust
from faust.types import TP, StreamT

from services.contract.audit import Stage
from services.contract.errors import Unusable, WrongSettings
from services.runtime import health, journal
from services.runtime.agent import Agent, NotYet, handle_each
from services.runtime.outbox import Outbox
from services.runtime.partition import Partition, open_partition
from services.runtime.policies import PolicyBook, PolicyReader
from services.runtime.records import Batch
from services.runtime.settings import Settings, load_settings
from services.runtime.state import SWEEP
from services.runtime.transport import BatchingConsumer, transport_for

EX_SOFTWARE = 70
SWEEP_CHUNK = 500
EX_CONFIG = 78
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
        self.app: faust.App

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
        partition = self.partitions.get(batch.partition)
        if partition is None or not self.consumer.is_current(batch):
            return
        async with partition.lock:
            start = partition.state.next_offset(batch.topic) or 0
            records = [record for record in batch.records if record.offset >= start]
            if not records or partition is not self.partitions.get(batch.partition):
                return
            began = time.monotonic()
            outbox = await self._decide(partition, records)
            await asyncio.wait_for(
                partition.commit(self.agent, outbox, {batch.topic: records[-1].offset + 1}), COMMIT_SECONDS
            )
            journal.emit(
                journal.COMMITTED, stage=self.agent.stage, partition=batch.partition, topic=batch.topic,
                records=len(records), outputs=len(outbox.outputs), seconds=round(time.monotonic() - began, 4),
            )  # fmt: skip

    async def _decide(self, partition: Partition, records: list[Any]) -> Outbox:
        waiting = False
        while True:
            outbox = self._outbox(partition)
            try:
                await handle_each(self.agent, records, outbox)
            except NotYet as missing:
                if not waiting:
                    journal.emit(journal.WAITING, stage=self.agent.stage, partition=partition.number,
                                 code=missing.code)  # fmt: skip
                waiting = True
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return outbox

    def _outbox(self, partition: Partition) -> Outbox:
        return Outbox(self.agent.stage, partition.number, partition.state, time.time_ns() // 1000)

    async def sweep(self) -> None:
        """Bring every partition's remembered decisions up to what they now rest on, a chunk between two batches."""
        token = self.agent.sweep_token()
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
                await self.agent.sweep(chunk, outbox)
            except NotYet:
                return False
            more = len(chunk) == SWEEP_CHUNK
            outbox.put(SWEEP, token + b" " + (chunk[-1][0] if more else b"end"))
            await asyncio.wait_for(partition.commit(self.agent, outbox, {}), COMMIT_SECONDS)
            return more


def build_app(agent: Agent, settings: Settings, policies: PolicyReader) -> faust.App:
    """The app of one stage, with the settings that Faust's defaults would get wrong (decisions/0005)."""
    host = Host(agent, settings, policies)
    transport = transport_for(host)

    class StageApp(faust.App):
        def _new_transport(self) -> Any:
            return transport(self.conf.broker_consumer, self)

        async def on_stop(self) -> None:
            await super().on_stop()
            await host.close()

    app = StageApp(
        id=agent.group,
        broker=f"kafka://{settings.kafka_bootstrap}",
        datadir=str(settings.work_folder / "faust"),
        key_serializer="raw", value_serializer="raw",
        web_enabled=False, topic_disable_leader=True, topic_allow_declare=False,
        stream_wait_empty=False, stream_recovery_delay=0.0,
        # Two batches wait while one is decided; more would only be memory.
        stream_buffer_maxsize=2,
        broker_max_poll_records=settings.batch_records,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_request_timeout=max(settings.request_timeout_seconds, settings.session_timeout_seconds),
        consumer_group_instance_id=settings.group_instance_id,
        producer_request_timeout=settings.request_timeout_seconds,
    )  # fmt: skip
    host.app = app
    for lane in agent.lanes:
        _read_lane(app, host, lane)
    _keep_up(app, host)
    return app


def _read_lane(app: faust.App, host: Host, lane: str) -> None:
    topic = app.topic(lane, key_type=bytes, value_type=bytes, value_serializer="raw", acks=False)

    async def read(stream: StreamT[Any]) -> None:
        async for batch in stream:
            try:
                await host.process(batch)
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001  # Faust would acknowledge it and go on
                host.leave(error)

    app.agent(topic, name=f"{host.agent.group}.{lane}", concurrency=1)(read)


def _keep_up(app: faust.App, host: Host) -> None:
    @app.task  # type: ignore[untyped-decorator]
    async def read_policies() -> None:
        try:
            await host.policies.run()
        except Exception as error:  # noqa: BLE001  # nothing may be decided under policies that stopped coming
            host.leave(error)

    @app.timer(interval=0.2)  # type: ignore[untyped-decorator]
    async def sweep() -> None:
        if host.policies.caught_up.is_set():
            try:
                await host.sweep()
            except Exception as error:  # noqa: BLE001  # as above
                host.leave(error)

    @app.timer(interval=1.0)  # type: ignore[untyped-decorator]
    async def say() -> None:
        assigned = {tp.partition for tp in host.consumer.assignment()}
        ready = host.policies.caught_up.is_set() and assigned == host.partitions.keys()
        health.report(host.settings.work_folder, ready=ready, partitions=len(host.partitions))


def main(stage: Stage, agent_of: Callable[[Settings, PolicyBook], Agent]) -> None:
    """Run one stage until SIGTERM or SIGINT; exit 78 with one line where a setting or a key is wrong."""
    journal.open_journal()
    try:
        settings = load_settings()
        (settings.work_folder / "faust").mkdir(parents=True, exist_ok=True)
        policies = PolicyBook(stage)
        agent = agent_of(settings, policies)
    except Unusable as error:
        sys.stderr.write(f"{stage}: {error.code}: {error}\n")
        sys.exit(EX_CONFIG)
    journal.emit(journal.STARTED, stage=stage, provider=settings.provider)
    app = build_app(agent, settings, PolicyReader(policies, settings))
    # Its spinner writes to stdout even when it is quiet.
    worker = faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False, stdout=io.StringIO())
    worker.execute_from_commandline()
