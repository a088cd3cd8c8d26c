"""The account that every stage gives of its input, and what it could not read. Holds no identity."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from services.contract.errors import Payload
from services.contract.reasons import Rule

Stage = Literal["filtering", "pseudonymisation", "connectors"]
End = Literal["released", "withheld", "held", "erased", "refused"]
"""How one input ended for one contract; what could not be read at all is a `QuarantinedRecord` instead."""

SchoolType = Literal["primary", "lower-secondary", "upper-secondary", "higher"]
"""Of a pupil, by her level. Of whoever has none, or one that says nothing of it, no type is said."""
AnySchool = SchoolType | Literal["-"]
"""`-` stands for whomever no type is said of."""

FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]

Times = Annotated[int, Field(ge=1)]
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
    schools: Mapping[SchoolType, tuple[OffsetRange, ...]] = {}
    """Which of these inputs were of a pupil of which type of school. Only the filter knows it."""
    dropped: Mapping[str, Mapping[AnySchool, Mapping[Rule, Mapping[FieldName, Times]]]] = {}
    """Contract → type of school → the rule that kept a field inside → the field → how often, of what was released.

    Of several rules it is the lowest. Only the filter knows it.
    """
    applied_until: AwareDatetime | None = None
    """Up to when all that families decided is applied, as the heartbeats say that came in this batch, or that the
    filter made; at a connector as it counts freshness: that of the filter's partition that is furthest behind.

    Said every few seconds, of inputs or of none.
    """
    caught_up: Mapping[str, Annotated[int, Field(ge=0)]] = {}
    """With it: topic → where it ended, in this partition, when nothing of it waited for the stage. All before that is
    decided, or was never to be read: a transaction's mark, a record of one that was aborted.
    """


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
