"""The account that every stage gives of its input, and what it could not read. Holds no identity."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from services.contract.errors import Payload

Stage = Literal["filtering", "pseudonymisation", "connectors"]
End = Literal["released", "withheld", "held", "erased", "refused"]
"""How one input ended for one contract; what could not be read at all is a `QuarantinedRecord` instead."""

OffsetRange = tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]
"""First and last offset, both included."""


class AuditEntry(Payload):
    """How every record of one batch ended: contract → end → reason → offsets.

    The offsets of all reasons of a contract, together with the quarantine, are exactly the batch's records.
    A reason reads `<rule>/<code>` where a rule decided and `<code>` where the stage did. `-` stands for every
    contract at once, where the input did not come to a decision by contract.
    """

    stage: Stage
    topic: str
    partition: Annotated[int, Field(ge=0)]
    first: Annotated[int, Field(ge=0)]
    last: Annotated[int, Field(ge=0)]
    records: Annotated[int, Field(ge=0)]
    at: AwareDatetime
    policies: Mapping[str, int]
    """Provider → version of the policy that was applied."""
    ends: Mapping[str, Mapping[End, Mapping[str, tuple[OffsetRange, ...]]]]


class QuarantinedRecord(Payload):
    """Where an unusable record lies and what is wrong with it, without one byte of it."""

    topic: str
    partition: Annotated[int, Field(ge=0)]
    offset: Annotated[int, Field(ge=0)]
    timestamp_ms: int
    stage: Stage
    code: str
    """The `code` of the error tree (errors.py)."""
    detail: str
    """Which declared field, and what kind of fault."""
    size: Annotated[int, Field(ge=0)]
    at: AwareDatetime
