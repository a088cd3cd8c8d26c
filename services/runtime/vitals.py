"""What a worker shows of itself: once a second from its host to the pulse, the metrics and `health.json`."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from faust.types import TP

from services.contract.topology import POLICIES
from services.runtime import health, metrics
from services.runtime.health import Health, Holdings
from services.runtime.host import Host
from services.runtime.watchdog import Place

BEAT_SECONDS = 1.0
POLICIES_PLACE: Place = (POLICIES, 0)
REBALANCE = "rebalance"


class Vitals:
    """Looks at a host and what its consumer has heard."""

    def __init__(self, host: Host, judged: Health, port: int, clock: Callable[[], float] = time.time) -> None:
        self._host = host
        self._health = judged
        self._port = port
        self._clock = clock
        self._rebalance: int | None = None
        self._behind: dict[Place, float] = {}

    def leave(self, error: BaseException) -> None:
        self._host.leave(error)

    def take(self) -> None:
        host, judged = self._host, self._health
        judged.pulse.beat()
        consumer = self._consumer()
        assigned = frozenset(TP(*tp) for tp in consumer.assignment()) if consumer else frozenset()
        opened = frozenset(host.partitions)
        self._hear(consumer, {tp for tp in assigned if tp.partition in opened})
        self._rebalancing()
        numbers = frozenset(tp.partition for tp in assigned)
        joined = host.app.rebalancing_count > 0 and not host.app.rebalancing
        judged.holdings = Holdings(host.policies.caught_up.is_set(), joined, numbers, opened)
        ready = judged.unready() is None
        for number, partition in host.partitions.items():
            metrics.stored(host.agent.stage, number, partition.state.size_bytes)
        metrics.held(host.agent.stage, assigned=len(numbers), opened=len(opened), ready=ready)
        health.report(host.settings.work_folder, ready=ready, partitions=len(opened), port=self._port)

    def _consumer(self) -> Any:
        """The client below Faust's; null before it is made."""
        thread = self._host.app.consumer._thread  # noqa: SLF001  # Faust shows neither answers nor what is buffered
        return thread and thread._consumer  # noqa: SLF001

    def _hear(self, consumer: Any, tps: set[TP]) -> None:
        """A partition is being opened, or fetched, or its records lie fetched until somebody takes them."""
        fetches: dict[Place, object] = {POLICIES_PLACE: self._host.policies.answered}
        lying: dict[Place, object] = {}
        ends: dict[Place, int] = {}
        full = self._host.consumer.bearings.full() if tps else set()
        for tp in tps:
            try:
                answered, end = consumer.last_poll_timestamp(tp), consumer.last_stable_offset(tp)
            except AssertionError:  # taken away since, by the consumer's own thread
                continue
            if tp not in consumer._fetcher._records:  # noqa: SLF001
                fetches[tp.topic, tp.partition] = answered
            elif not self._host.app.rebalancing:
                # Of a full lane nothing is taken: that is back-pressure, as long as the work goes on.
                lying[tp.topic, tp.partition] = self._host.work.attempts if tp in full else answered
            ends[tp.topic, tp.partition] = end or 0
        self._health.pulse.heard(fetches, lying)
        metrics.lag(self._host.agent.stage, self._lags(ends))

    def _lags(self, ends: Mapping[Place, int]) -> dict[Place, tuple[int, float]]:
        """A topic's end counts transaction markers: who has decided all that was handed out is not behind."""
        now = self._clock()
        lags = {
            place: 0
            if self._host.work.is_caught_up(TP(*place))
            else max(0, end - (self._host.next_offset(TP(*place)) or 0))
            for place, end in ends.items()
        }
        # Who has just fallen behind: its age is counted from now, until a commit says from when its newest input is.
        self._behind = {place: self._behind.get(place, now) for place, records in lags.items() if records}
        newest = {place: self._host.work.newest.get(place, self._behind[place]) for place in self._behind}
        return {place: (records, max(0.0, now - newest[place]) if records else 0.0) for place, records in lags.items()}

    def _rebalancing(self) -> None:
        """One rebalance may take its time, but not for ever; the next one has its own."""
        app, pulse = self._host.app, self._health.pulse
        current = app.rebalancing_count if app.rebalancing else None
        if current == self._rebalance:
            return
        self._rebalance = current
        if current is None:
            pulse.done(REBALANCE, 0)
        else:
            pulse.progress(REBALANCE, 0)


async def keep(vitals: Vitals) -> None:
    """Every second; what fails here ends the process under its own name, not as a loop that is stuck."""
    while True:
        try:
            vitals.take()
        except Exception as error:  # noqa: BLE001  # nobody would know of it
            vitals.leave(error)
        await asyncio.sleep(BEAT_SECONDS)
