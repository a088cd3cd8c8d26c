"""Whether a process has gone silent, and its end if it has.

Kafka's clients go silent after outages: no error, no record, a process that looks well. So life is judged by what has
been heard, never by what has not been raised. The judgement is pure; a thread of its own looks once a second, and ends
the process even while the event loop is stuck.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from services.runtime import journal

EX_SOFTWARE = 70
LOOK_SECONDS = 1.0
FROZEN_SECONDS = 5.0
"""The watchdog was not woken for so long: the whole process was frozen, and what it heard then says nothing."""
SAY_SECONDS = 1.0

Place = tuple[str, int]
"""Topic and partition; or another name for what is under way, and a number."""
Silence = Literal["loop-stuck", "fetch-silent", "work-stuck", "intake-stuck"]


@dataclass(frozen=True, slots=True)
class Pulses:
    """When each sign of life was last seen, in seconds of one clock that is never set back."""

    loop: float
    fetches: Mapping[Place, float] = field(default_factory=dict)
    """Of each partition that is to be fetched: the broker's last answer about it, new records or none."""
    lying: Mapping[Place, float] = field(default_factory=dict)
    """Of each partition whose fetched records nobody has taken yet: since when."""
    work: Mapping[Place, float] = field(default_factory=dict)
    """Of each batch, or other work, that is begun and not done: its last step."""

    def not_before(self, at: float) -> "Pulses":
        """Count nobody's silence from before this instant."""
        fetches, lying, work = (
            {place: max(seen, at) for place, seen in signs.items()} for signs in (self.fetches, self.lying, self.work)
        )
        return Pulses(max(self.loop, at), fetches, lying, work)


def silence(pulses: Pulses, now: float, limit: float) -> Silence | None:
    """What has been silent for longer than `limit` seconds; null while there is progress."""

    def silent(signs: Mapping[Place, float]) -> bool:
        return any(now - seen > limit for seen in signs.values())

    if now - pulses.loop > limit:
        return "loop-stuck"
    if silent(pulses.fetches):
        return "fetch-silent"
    if silent(pulses.work):
        return "work-stuck"
    if silent(pulses.lying):
        return "intake-stuck"
    return None


class Pulse:
    """Takes note of signs of life. Written by the event loop's thread alone, read by any."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tokens: Mapping[Place, object] = {}
        self.pulses = Pulses(clock())

    def beat(self) -> None:
        """The event loop runs."""
        self.pulses = replace(self.pulses, loop=self._clock())

    def heard(self, fetches: Mapping[Place, object], lying: Mapping[Place, object]) -> None:
        """Take note of every partition that is to be fetched or taken, each with a token that changes at a new sign.

        A token and no time, for the clients stamp by a clock that may be set. A partition that is new, or that has
        moved from one side to the other, begins now.
        """
        now, before, tokens = self._clock(), self.pulses, self._tokens

        def seen(side: Mapping[Place, object], was: Mapping[Place, float]) -> dict[Place, float]:
            return {p: was[p] if p in was and tokens.get(p) == token else now for p, token in side.items()}

        self._tokens = {**fetches, **lying}
        self.pulses = replace(before, fetches=seen(fetches, before.fetches), lying=seen(lying, before.lying))

    def progress(self, topic: str, partition: int) -> None:
        """Work on this place has begun, or has come a step further; an attempt that must wait is one."""
        self.pulses = replace(self.pulses, work={**self.pulses.work, (topic, partition): self._clock()})

    def done(self, topic: str, partition: int) -> None:
        """Nothing is under way there any more."""
        work = {place: seen for place, seen in self.pulses.work.items() if place != (topic, partition)}
        self.pulses = replace(self.pulses, work=work)


def watch(stage: str, pulse: Pulse, limit: float, clock: Callable[[], float] = time.monotonic) -> None:
    """Look once a second from a thread of its own, and end the process once it is silent for longer than `limit`."""

    def look() -> None:
        awake, since = clock(), clock()
        while True:
            time.sleep(LOOK_SECONDS)
            now = clock()
            if now - awake > FROZEN_SECONDS:
                since = now
            awake = now
            if code := silence(pulse.pulses.not_before(since), now, limit):
                _end(stage, code)

    threading.Thread(target=look, name="watchdog", daemon=True).start()


def _end(stage: str, code: Silence) -> None:
    """Acknowledge nothing and wait for nobody: whoever holds the journal's lock may be the one who is stuck."""

    def say() -> None:
        journal.emit(journal.FAILED, stage=stage, kind="silent", where=code)

    saying = threading.Thread(target=say, daemon=True)
    saying.start()
    saying.join(SAY_SECONDS)
    os._exit(EX_SOFTWARE)
