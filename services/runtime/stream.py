"""The Faust app of one stage: built in a function, so that nothing connects at import."""

import asyncio
import ctypes
import gc
import io
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import faust
from faust.types import StreamT

from services.contract.audit import Stage
from services.contract.errors import Unusable
from services.runtime import journal
from services.runtime.agent import Agent
from services.runtime.health import Health, serve
from services.runtime.host import Host
from services.runtime.policies import PolicyBook, PolicyReader
from services.runtime.settings import Settings, load_settings
from services.runtime.transport import transport_for
from services.runtime.vitals import Vitals, keep
from services.runtime.watchdog import Pulse, watch

EX_CONFIG = 78
SWITCH_SECONDS = 0.0005
COLLECT = (100_000, 20, 50)
KEPT_BYTES = 256 * 1024 * 1024
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
"""Of mallopt(3)."""
LARGEST_BYTES = 32 * 1024 * 1024
"""More than any fetch, and as much as glibc takes for the third."""


def build_app(agent: Agent, settings: Settings, policies: PolicyReader, health: Health, port: int = 0) -> faust.App:
    """The app of one stage, with the settings that Faust's defaults would get wrong (decisions/0005).

    `port` is where the health pages are, for `health.json`.
    """
    host = Host(agent, settings, policies, health.pulse)
    vitals = Vitals(host, health, port)
    transport = transport_for(host)

    class StageApp(faust.App):
        def _new_transport(self) -> Any:
            return transport(self.conf.broker_consumer, self)

        async def on_start(self) -> None:
            await super().on_start()
            # Not a timer of Faust's: those begin only once the first assignment is there.
            self.add_future(keep(vitals))

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
        # The consumer counts what waits, by partition; a full channel would hold up all lanes for one.
        stream_buffer_maxsize=4096,
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
            host.work.take(batch)

    app.agent(topic, name=f"{host.agent.group}.{lane}", concurrency=1)(read)


def _keep_up(app: faust.App, host: Host) -> None:
    @app.task  # type: ignore[untyped-decorator]
    async def read_policies() -> None:
        try:
            await host.policies.run()
        except Exception as error:  # noqa: BLE001  # nothing may be decided under policies that stopped coming
            host.leave(error)

    @app.task  # type: ignore[untyped-decorator]
    async def work() -> None:
        try:
            await asyncio.gather(host.work.go(), host.work.keep_time())
        except Exception as error:  # noqa: BLE001  # as above
            host.leave(error)


def _keep_memory() -> None:
    """Let neither the collector nor glibc go over a batch's memory again and again (measured: 1–3 µs a record).

    Batches make no cycles, so that counting references frees them; a full collection would only walk through caches.
    What is fetched and sent lies in blocks of a megabyte and is copied from one to the next: each would be new from the
    system, and be nulled by it page by page (measured: another 2 µs).
    """
    gc.freeze()
    gc.set_threshold(*COLLECT)
    with suppress(OSError, AttributeError):  # another C library keeps its own way
        libc = ctypes.CDLL(None)
        libc.mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
        libc.mallopt(M_TOP_PAD, KEPT_BYTES // 8)
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST_BYTES)


def _take_turns() -> None:
    """Let the threads that fetch and send have the interpreter soon.

    At Python's own 5 ms, each of their half a dozen answers a transaction comes late by that much (measured: half of a
    change's time through three stages).
    """
    sys.setswitchinterval(SWITCH_SECONDS)


def main(stage: Stage, agent_of: Callable[[Settings, PolicyBook], Agent]) -> None:
    """Run one stage until SIGTERM or SIGINT; exit 78 with one line where a setting or a key is wrong."""
    journal.open_journal()
    try:
        settings = load_settings()
        (settings.work_folder / "faust").mkdir(parents=True, exist_ok=True)
        policies = PolicyBook(stage)
        agent = agent_of(settings, policies)
        health = Health(Pulse(), settings.silent_seconds)
        port = serve(health, settings.health_address)
    except Unusable as error:
        sys.stderr.write(f"{stage}: {error.code}: {error}\n")
        sys.exit(EX_CONFIG)
    journal.emit(journal.STARTED, stage=stage, provider=settings.provider)
    watch(stage, health.pulse, settings.silent_seconds)
    _keep_memory()
    _take_turns()
    app = build_app(agent, settings, PolicyReader(policies, settings), health, port)
    # Its spinner writes to stdout even when it is quiet.
    worker = faust.Worker(app, quiet=True, override_logging=False, redirect_stdouts=False, stdout=io.StringIO())
    worker.execute_from_commandline()
