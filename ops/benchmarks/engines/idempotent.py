"""`python -m ops.benchmarks.engines.idempotent`: our pseudonymiser without its transactions, to see what they cost.

Only ever measured. Each record is still written once by a producer that repeats nothing, but outputs, state and
position no longer become durable together: after a crash some would be there twice.
"""

from typing import Any

from aiokafka import AIOKafkaProducer

from services.pseudonymisation.__main__ import build
from services.runtime import partition
from services.runtime.stream import main


class IdempotentProducer(AIOKafkaProducer):
    """Takes the same calls, and neither begins nor ends anything."""

    def __init__(self, *, transactional_id: str, transaction_timeout_ms: int, **settings: Any) -> None:  # noqa: ARG002
        super().__init__(enable_idempotence=True, **settings)  # type: ignore[no-untyped-call]  # aiokafka types only a part of itself

    async def begin_transaction(self) -> None:
        """Nothing is begun."""

    async def commit_transaction(self) -> None:
        """Everything was durable when it was acknowledged."""


if __name__ == "__main__":
    vars(partition)["AIOKafkaProducer"] = IdempotentProducer
    main("pseudonymisation", build)
