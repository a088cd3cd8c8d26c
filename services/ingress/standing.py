"""Whether ingress lives and is ready: the loop runs; Kafka answers, and who may post can be read."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from services.ingress.register_file import RegisterFile
from services.runtime import health, journal
from services.runtime.watchdog import Pulse, Silence, silence

BEAT_SECONDS: Final = 1.0


class Standing:
    """Judges the process. Written by the event loop, read by any thread.

    A broker that is away is no reason to end: whoever posts is told to post again.
    """

    def __init__(
        self, register: RegisterFile, silent_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.pulse = Pulse(clock)
        self.kafka_silent: Callable[[], bool] = lambda: True
        """Whether the broker is away; it is, until the loop runs."""
        self._register = register
        self._silent_seconds = silent_seconds
        self._clock = clock

    def unlive(self) -> Silence | None:
        return silence(self.pulse.pulses, self._clock(), self._silent_seconds)

    def unready(self) -> Literal["register-unread", "kafka-silent"] | Silence | None:
        if self._register.current() is None:
            return "register-unread"
        if self.kafka_silent():
            return "kafka-silent"
        return self.unlive()

    async def keep(self, folder: Path, port: int) -> None:
        """Beat, and write the word that the supervisor reads, each second; until cancelled."""
        said: str | None = None
        while True:
            self.pulse.beat()
            code = self.unready()
            if code and code != said:
                journal.emit(journal.WAITING, stage="ingress", code=code)
            said = code
            health.report(folder, ready=code is None, partitions=0, port=port)
            await asyncio.sleep(BEAT_SECONDS)
