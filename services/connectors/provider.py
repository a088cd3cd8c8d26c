"""The port: what a kind of provider must be able to do. The loop knows nothing more of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from services.connectors.words import Word
from services.contract.outcomes import OutcomeCode


class Sink(Protocol):
    """What is put here becomes durable together with the outcomes, or not at all."""

    @property
    def now(self) -> datetime: ...

    def send(  # noqa: PLR0913  # a record has that many parts
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = (), *,
        spread: bool = False, timestamp_ms: int | None = None,
    ) -> None: ...  # fmt: skip


class Provider(Protocol):
    """One provider, told in its own way."""

    async def deliver(self, words: Sequence[Word], sink: Sink) -> Sequence[OutcomeCode]:
        """Tell the provider, in this order; say what came of each word.

        No two words of one call are of one pair, and the next call comes after this one has ended.
        Telling twice must do no more than telling once: after a crash the same words come again.
        """
