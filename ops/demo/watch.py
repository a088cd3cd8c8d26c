"""Follows the topics while they fill, in a thread of its own: what the live view shows and the acts wait for."""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, Self, TypeVar

from ops.demo.reader import open_consumer, partitions_of, visible_topics
from ops.demo.tally import Tally
from services.contract.errors import Unreachable

POLL_MS = 100
LOOK_SECONDS = 0.02

Answer = TypeVar("Answer")


class Watch:
    """Reads every visible topic into a tally; look at it with `look`, never at the tally itself."""

    def __init__(self, bootstrap: str, providers: tuple[str, ...]) -> None:
        self._tally = Tally(providers)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._failed: str | None = None
        self._consumer = open_consumer(bootstrap)
        places = partitions_of(self._consumer, visible_topics(providers))
        self._consumer.assign(places)
        self._consumer.seek_to_beginning(*places)
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stopping.set()
        self._thread.join(10.0)

    def look(self, ask: Callable[[Tally], Answer]) -> Answer:
        """What `ask` answers of the tally, which stands still meanwhile."""
        with self._lock:
            return ask(self._tally)

    def wait(self, until: Callable[[Tally], bool], seconds: float, check: Callable[[], None], what: str) -> float:
        """Seconds until the tally answers yes; `check` is called meanwhile and may raise.

        Raises:
            Unreachable: not within `seconds`; the message says what was awaited.
        """
        began = time.monotonic()
        while not self.look(until):
            check()
            if self._failed is not None:
                raise Unreachable(f"the topics could not be followed: {self._failed}")
            if time.monotonic() - began > seconds:
                raise Unreachable(f"not within {seconds:.0f} s: {what}")
            time.sleep(LOOK_SECONDS)
        return time.monotonic() - began

    def _follow(self) -> None:
        with closing(self._consumer) as consumer:
            try:
                while not self._stopping.is_set():
                    self._take(consumer.poll(timeout_ms=POLL_MS))
            except Exception as error:  # noqa: BLE001  # a thread has nobody above it: `wait` says so instead
                self._failed = type(error).__name__

    def _take(self, fetched: Mapping[Any, list[Any]]) -> None:
        with self._lock:
            for records in fetched.values():
                for record in records:
                    self._tally.take(record.topic, record.key, record.value)
