"""Tells a provider through its own topic, in the connector's transaction: exactly once (decisions/0006)."""

from collections.abc import Callable, Sequence

from services.connectors.provider import Sink
from services.connectors.providers.topic.mapping import headers_of, hour_of, value_of
from services.contract.operations import Operation, Upsert
from services.contract.outcomes import Delivered, Outcome
from services.contract.topology import PROVIDER_DIRECTORY, named_for


class TopicProvider:
    """`purpose_of` names the purpose of a contract; partition by the hash of the pseudonym."""

    def __init__(self, provider: str, purpose_of: Callable[[str], str]) -> None:
        self._topic = named_for(PROVIDER_DIRECTORY, provider)
        self._purpose_of = purpose_of

    async def deliver(self, operations: Sequence[Operation], sink: Sink) -> Sequence[Outcome]:
        for operation in operations:
            purpose = self._purpose_of(operation.contract) if isinstance(operation, Upsert) else ""
            sink.send(
                self._topic,
                operation.pseudonym.encode(),
                value_of(operation, purpose),
                headers_of(operation),
                spread=True,
                timestamp_ms=hour_of(sink.now),
            )
        return [
            Delivered(
                provider=operation.provider, contract=operation.contract, pseudonym=operation.pseudonym,
                seq=operation.seq, operation="upsert" if isinstance(operation, Upsert) else "delete", at=sink.now,
            )
            for operation in operations
        ]  # fmt: skip
