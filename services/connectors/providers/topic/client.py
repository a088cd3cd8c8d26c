"""Tells a provider through its own topic, in the connector's transaction: exactly once (decisions/0006)."""

from collections.abc import Callable, Sequence

from services.connectors.provider import Sink
from services.connectors.providers.topic.mapping import (
    headers_of,
    headers_of_end,
    hour_of,
    renaming_of,
    value_of,
)
from services.connectors.words import Word
from services.contract.outcomes import OutcomeCode
from services.contract.topology import PROVIDER_DIRECTORY, named_for


class TopicProvider:
    """`purpose_of` names the purpose of a contract; partition by the hash of the pseudonym."""

    def __init__(self, provider: str, purpose_of: Callable[[str], str]) -> None:
        self._topic = named_for(PROVIDER_DIRECTORY, provider)
        self._purpose_of = purpose_of

    async def deliver(self, words: Sequence[Word], sink: Sink) -> Sequence[OutcomeCode]:
        purposes = {contract: self._purpose_of(contract) for contract in {word.contract for word in words if word.kind}}
        hour = hour_of(sink.now)
        for word in words:
            if word.renamed_to:
                self._rename(word, hour, sink)
                continue
            value = value_of(word, purposes.get(word.contract, ""))
            self._send(word.pseudonym, value, headers_of(word), hour, sink)
        return ["delivered"] * len(words)

    def _rename(self, word: Word, hour: int, sink: Sink) -> None:
        """Under the old name alone: what is said by the new one comes from its own partition, with both names."""
        self._send(word.pseudonym, renaming_of(word), headers_of(word), hour, sink)
        self._send(word.pseudonym, None, headers_of_end(word), hour, sink)

    def _send(
        self, pseudonym: str, value: bytes | None, headers: Sequence[tuple[str, bytes]], hour: int, sink: Sink
    ) -> None:
        sink.send(self._topic, pseudonym.encode(), value, headers, spread=True, timestamp_ms=hour)
