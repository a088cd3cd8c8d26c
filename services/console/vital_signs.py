"""Whether the console lives and is ready: the loop runs; the broker answers, and the policies are read."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal

from services.console.board import Board
from services.console.measures import show
from services.runtime import health, journal
from services.runtime.watchdog import Pulse, Silence, silence

BEAT_SECONDS: Final = 1.0
ANSWER_SECONDS: Final = 15.0


class VitalSigns:
    """Judges the process. Written by the event loop, read by any thread; a broker that is away ends nothing."""

    def __init__(self, silent_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.pulse = Pulse(clock)
        self.answered: Callable[[], float | None] = lambda: None
        self.policies_read: Callable[[], bool] = lambda: False
        self._silent_seconds = silent_seconds
        self._clock = clock

    def unlive(self) -> Silence | None:
        return silence(self.pulse.pulses, self._clock(), self._silent_seconds)

    def unready(self) -> Literal["policies-unread", "kafka-silent"] | Silence | None:
        if not self.policies_read():
            return "policies-unread"
        answered = self.answered()
        if answered is None or self._clock() - answered > ANSWER_SECONDS:
            return "kafka-silent"
        return self.unlive()

    async def keep(self, folder: Path, port: int, board: Board) -> None:
        """Beat, show the metrics, and write the word that the supervisor reads, each second; until cancelled."""
        said: str | None = None
        while True:
            self.pulse.beat()
            show(board.overview())
            code = self.unready()
            if code and code != said:
                journal.emit(journal.WAITING, stage="console", code=code)
            said = code
            health.report(folder, ready=code is None, partitions=0, port=port)
            await asyncio.sleep(BEAT_SECONDS)
