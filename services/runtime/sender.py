"""A thread that speaks to the broker while another decides.

On the event loop that decides, each of the five or six answers that a transaction waits for would come after a whole
batch of some partition: a commit then took as long as six batches.
"""

import asyncio
import threading
from collections.abc import Coroutine
from functools import cached_property
from typing import Any, TypeVar

import aiokafka.producer.sender as client

Answer = TypeVar("Answer")

client.BACKOFF_OVERRIDE = 0.003
"""Seconds until the client asks again whether the markers of the transaction before are written: its own 20 ms is
longer than a whole transaction takes here."""


class Sender:
    """An event loop in a thread of its own, from when it is first needed, for as long as the process lives."""

    @cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, name="sender", daemon=True).start()
        return loop

    async def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Have it done there, and wait for it here."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))
