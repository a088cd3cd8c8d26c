"""What was read out of the topics once all was quiet, as plain values; and the few things that every check asks of it.

Opens nothing: the reader fills it, the verifier judges it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter

from services.contract.audit import AuditEntry, QuarantinedRecord
from services.contract.errors import Payload
from services.contract.policies import ProviderPolicy
from services.contract.topology import (
    CONNECTORS_AUDIT,
    FILTERING_AUDIT,
    OPERATIONS,
    POLICIES,
    PROVIDER_WITHDRAWALS,
    PSEUDONYMISATION_AUDIT,
    named_for,
    quarantine_of,
)

PayloadType = TypeVar("PayloadType", bound=Payload)

FindingKind = Literal[
    "unreadable-record",
    "gap-in-input", "input-without-end", "input-with-two-ends", "end-without-input", "end-of-unknown-contract",
    "emissions-miscounted", "seq-twice",
    "emission-without-operation", "operation-twice", "operation-though-refused", "operation-without-emission",
    "operation-without-outcome", "two-names-for-one-person", "name-shared",
    "known-though-withdrawn", "missing-though-released", "known-without-release", "known-otherwise-than-released",
    "canary",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up, where, and how often; never a value."""

    kind: FindingKind
    where: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a topic, as a client reads it."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True)
class ReadOut:
    """Every topic's committed records, in the order of each partition, and the services' logs by name."""

    topics: Mapping[str, Sequence[Row]]
    ends: Mapping[tuple[str, int], tuple[int, int]]
    """First offset and log end (excluded) of each partition of the inputs that no transaction writes."""
    logs: Mapping[str, str]
    named: Mapping[str, int] = field(default_factory=dict)
    """`<provider>/<contract>/<pseudonym>` → the partition in which the pseudonymiser named that person: her operations
    lie by that name, and not beside the emissions that they came of."""
    unreadable: Counter[str] = field(default_factory=Counter)
    """By topic, what could not be parsed as the topic's payload; filled as the checks read."""

    def rows(self, topic: str) -> Sequence[Row]:
        return self.topics.get(topic, ())

    def parsed(self, topic: str, *models: type[PayloadType]) -> Iterator[tuple[Row, PayloadType]]:
        """Records with a value, as one of the payloads that the topology promises; others are counted, not raised.

        They are told apart by what they say: no two payloads of a topic have the same fields.
        """
        unreadable = 0
        one_of: Any = reduce(or_, models)
        adapter: TypeAdapter[PayloadType] = TypeAdapter(one_of)
        for row in self.rows(topic):
            if row.value is None:
                continue
            try:
                payload = adapter.validate_json(row.value)
            except ValueError:
                unreadable += 1
            else:
                yield row, payload
        if unreadable:
            self.unreadable[topic] = unreadable

    @cached_property
    def policies(self) -> Mapping[str, ProviderPolicy]:
        """The last policy of each provider."""
        latest: dict[str, ProviderPolicy] = {}
        for _, policy in self.parsed(POLICIES, ProviderPolicy):
            latest[policy.provider] = policy
        return latest

    @cached_property
    def contracts(self) -> tuple[str, ...]:
        """Every `<provider>/<contract>`."""
        return tuple(f"{name}/{c.id}" for name, policy in sorted(self.policies.items()) for c in policy.contracts)

    @cached_property
    def accounts(self) -> Mapping[str, Sequence[tuple[Row, AuditEntry]]]:
        """What each stage says of its input, by the stage's audit topic."""
        return {
            topic: list(self.parsed(topic, AuditEntry))
            for topic in (FILTERING_AUDIT, PSEUDONYMISATION_AUDIT, CONNECTORS_AUDIT)
        }

    @cached_property
    def aside(self) -> Mapping[tuple[str, int], Counter[int]]:
        """Offsets in quarantine, by input topic and partition."""
        found: defaultdict[tuple[str, int], Counter[int]] = defaultdict(Counter)
        for topic in self.topics:
            if topic == quarantine_of(topic.removesuffix(".quarantine")):
                for _, record in self.parsed(topic, QuarantinedRecord):
                    found[record.topic, record.partition][record.offset] += 1
        return found

    @property
    def quarantined(self) -> int:
        return sum(sum(offsets.values()) for offsets in self.aside.values())

    def of_provider(self, provider: str) -> tuple[str, str]:
        """The two topics on which the provider's connector is told what to do."""
        return named_for(OPERATIONS, provider), named_for(PROVIDER_WITHDRAWALS, provider)


def is_heartbeat(key: bytes | None, value: bytes | None) -> bool:
    """Whether a record of an express lane says how far the consents are applied: no input, and no account of it."""
    return key is None and value is not None and b'"applied_until"' in value


def gather(findings: Iterator[Finding]) -> tuple[Finding, ...]:
    """The same kind at the same place once, with how often."""
    counts: Counter[tuple[FindingKind, str]] = Counter()
    for finding in findings:
        counts[finding.kind, finding.where] += finding.count
    return tuple(Finding(kind, where, count) for (kind, where), count in sorted(counts.items()))
