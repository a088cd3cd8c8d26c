"""Tells a provider through its own topic, in the connector's transaction: exactly once (decisions/0006)."""

from collections.abc import Callable, Sequence

from services.connectors.provider import Sink
from services.connectors.providers.topic.mapping import headers_of, headers_of_end, hour_of, renaming_of, value_of
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
            key = word.pseudonym.encode()
            if word.renamed_to:
                sink.send(self._topic, key, renaming_of(word), headers_of(word), spread=True, timestamp_ms=hour)
                sink.send(self._topic, key, None, headers_of_end(word), spread=True, timestamp_ms=hour)
                continue
            value = value_of(word, purposes.get(word.contract, ""))
            sink.send(self._topic, key, value, headers_of(word), spread=True, timestamp_ms=hour)
        return ["delivered"] * len(words)
