"""The account that every stage gives of its input, and what it could not read. Holds no identity."""

from collections.abc import Mapping
from datetime import datetime
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


class Account:
    """Gathers the ends of one batch, in the order of its offsets, into an `AuditEntry`."""

    def __init__(self, stage: Stage, topic: str, partition: int, records: int) -> None:
        self._of = (stage, topic, partition)
        self.records = records
        self._ends: dict[tuple[str, End, str], list[list[int]]] = {}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to account for: heartbeats alone, or a tick at which nothing was due."""
        return not self.records and not self._ends

    def count(self, inputs: int) -> None:
        """Take that many more inputs into the account; fewer, for records that are none (heartbeats)."""
        self.records += inputs

    def end(self, offset: int, contract: str, end: End, reason: str) -> None:
        """Record how the input at `offset` ended for `<provider>/<contract>`, or for `-`, all of them."""
        ranges = self._ends.get((contract, end, reason))
        if ranges is None:
            self._ends[contract, end, reason] = [[offset, offset]]
        elif (latest := ranges[-1])[1] >= offset - 1:
            latest[1] = offset
        else:
            ranges.append([offset, offset])

    def entry(self, offsets: tuple[int, int], at: datetime, policies: Mapping[str, int]) -> AuditEntry:
        """Close the account of the batch that spans `offsets`, first and last."""
        stage, topic, partition = self._of
        ends: dict[str, dict[End, dict[str, tuple[OffsetRange, ...]]]] = {}
        for (contract, end, reason), ranges in self._ends.items():
            ends.setdefault(contract, {}).setdefault(end, {})[reason] = tuple(map(tuple, ranges))  # type: ignore[arg-type]
        # What is gathered here needs no proof: it may be thousands of ranges a batch.
        return AuditEntry.model_construct(
            stage=stage, topic=topic, partition=partition, first=offsets[0], last=offsets[1],
            records=self.records, at=at, policies=policies, ends=ends,
        )  # fmt: skip
