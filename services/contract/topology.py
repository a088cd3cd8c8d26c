"""Every topic once: what it carries, who writes it, who reads it, how long it stays.

From this table come the topics themselves, the AsyncAPI document, the diagram in the README and the tests.
A name that holds `<provider>` stands for one topic a provider.
"""

from dataclasses import dataclass, replace
from typing import Literal

from services.contract.acts import Approval, PolicyAct
from services.contract.audit import AuditEntry, QuarantinedRecord
from services.contract.census import Census, GroupCensus
from services.contract.changes import Change, Identifier
from services.contract.consents import ConsentDecision
from services.contract.errors import Payload
from services.contract.heartbeats import Heartbeat
from services.contract.key_acts import KeyAct, KeyOrder
from services.contract.links import Link
from services.contract.moves import Claim, Forwarded, Merged, Moved
from services.contract.objections import ObjectionDecision
from services.contract.operations import (
    Adopted,
    Delete,
    ProviderAdoption,
    ProviderRecord,
    ProviderRenaming,
    ProviderRestriction,
    Restrict,
    Rotated,
    Upsert,
)
from services.contract.outcomes import Deferred, Delivered, Refused
from services.contract.policies import ProviderPolicy
from services.contract.reads import ReadAct
from services.contract.releases import Release, Renaming, Restriction, Withdrawal
from services.contract.restrictions import RestrictionDecision

CHANGES = "directory.changes.v1"
IDENTIFIERS = "directory.identifiers.v1"
CONSENTS = "consents.decisions.v1"
LINKS = "directory.links.v1"
"""The ordinary lane: who may be known since a pupil may; and the ends of a sweep."""
UNLINKS = "directory.unlinks.v1"
"""The express lane: whom one pupil's own input no longer lets be known, past any backlog (decisions/0014)."""
MOVES = "directory.moves.v1"
"""An express lane: what the partitions of two keys tell each other that prove to be one person's (decisions/0018)."""
POLICIES = "policies.v1"
"""A policy a provider, and under keys that no provider can have the last approval of what a set erases at once, the
censuses, and which names are in force."""
RELEASES = "provisioning.releases.v1"
"""The normal lane: releases, and the erasures and restrictions of a sweep. Readers tell them apart by content."""
WITHDRAWALS = "provisioning.withdrawals.v1"
"""The express lane: what one person's own input takes back or restricts overtakes any backlog; and the heartbeats."""
OPERATIONS = "provisioning.operations.<provider>.v1"
PROVIDER_WITHDRAWALS = "provisioning.withdrawals.<provider>.v1"
PROVIDER_DIRECTORY = "providers.<provider>.directory.v1"
LEDGER = "provisioning.ledger.v1"
FILTERING_STATE = "state.filtering.v1"
PSEUDONYMISATION_STATE = "state.pseudonymisation.v1"
CONNECTORS_STATE = "state.connectors.<provider>.v1"
FILTERING_AUDIT = "audit.filtering.v1"
PSEUDONYMISATION_AUDIT = "audit.pseudonymisation.v1"
CONNECTORS_AUDIT = "audit.connectors.v1"
POLICIES_AUDIT = "audit.policies.v1"
READS_AUDIT = "audit.reads.v1"
KEYS_AUDIT = "audit.keys.v1"

SUBJECT_PARTITIONS = 12
"""All topics keyed by a subject share it: a stage writes to the partition it reads from."""

QUARANTINE_DAYS = 90

STATE_TOMBSTONE_DAYS = 7
"""How long a stage's worker may be away and still go on from the store it has: half of this."""


@dataclass(frozen=True, slots=True)
class Topic:
    """One row of the table."""

    name: str
    payloads: tuple[type[Payload], ...]
    """What a value may be; empty where it is a stage's own state, whose form only that stage knows."""
    key: str
    writer: str
    readers: tuple[str, ...]
    cleanup: Literal["delete", "compact"]
    partitions: Literal["subject", "one"] = "subject"
    retention_days: int | None = None
    """After how many days a record goes; null on a compacted topic, where only tombstones go."""
    tombstone_days: int | None = None
    """How many days a compacted topic keeps a tombstone, so that who was away still learns of it."""
    quarantined: bool = False
    """Whether its readers may find what they cannot read, and put its coordinates on `<name>.quarantine`."""


TOPICS: tuple[Topic, ...] = (
    Topic(CHANGES, (Change,), "routing key", "ingress", ("filtering",), "delete",
          retention_days=14, quarantined=True),
    Topic(IDENTIFIERS, (Identifier,), "<source>/<entity>/<id>", "ingress", ("ingress",), "compact",
          partitions="one", tombstone_days=7),
    Topic(CONSENTS, (ConsentDecision, ObjectionDecision, RestrictionDecision), "routing key", "ingress",
          ("filtering",), "delete", retention_days=365, quarantined=True),
    Topic(UNLINKS, (Link,), "routing key of the guardian", "filtering", ("filtering",), "delete",
          retention_days=14, quarantined=True),
    Topic(MOVES, (Claim, Merged, Moved, Forwarded), "routing key", "filtering", ("filtering",), "delete",
          retention_days=14, quarantined=True),
    Topic(LINKS, (Link,), "routing key of the guardian", "filtering", ("filtering",), "delete",
          retention_days=14, quarantined=True),
    Topic(POLICIES, (ProviderPolicy, Approval, KeyOrder, Census, GroupCensus), "provider", "operators",
          ("filtering", "pseudonymisation", "connectors"), "compact", partitions="one", tombstone_days=30),
    Topic(RELEASES, (Release, Withdrawal, Restriction, Renaming), "routing key", "filtering", ("pseudonymisation",),
          "delete", retention_days=7, quarantined=True),
    Topic(WITHDRAWALS, (Withdrawal, Restriction, Heartbeat), "routing key", "filtering", ("pseudonymisation",),
          "delete", retention_days=7, quarantined=True),
    Topic(OPERATIONS, (Upsert, Delete, Restrict, Rotated, Adopted), "pseudonym", "pseudonymisation", ("connectors",),
          "delete", retention_days=7, quarantined=True),
    Topic(PROVIDER_WITHDRAWALS, (Delete, Restrict, Rotated, Heartbeat), "pseudonym", "pseudonymisation",
          ("connectors",), "delete", retention_days=7, quarantined=True),
    Topic(PROVIDER_DIRECTORY, (ProviderRecord, ProviderRestriction, ProviderRenaming, ProviderAdoption), "pseudonym",
          "connectors", ("the provider",), "compact", tombstone_days=30),
    Topic(LEDGER, (Delivered, Deferred, Refused), "<provider>/<contract>/<pseudonym>", "connectors",
          ("operators",), "compact", tombstone_days=7),
    Topic(FILTERING_STATE, (), "state key", "filtering", ("filtering",), "compact",
          tombstone_days=STATE_TOMBSTONE_DAYS),
    Topic(PSEUDONYMISATION_STATE, (), "state key", "pseudonymisation", ("pseudonymisation",), "compact",
          tombstone_days=STATE_TOMBSTONE_DAYS),
    Topic(CONNECTORS_STATE, (), "state key", "connectors", ("connectors",), "compact",
          tombstone_days=STATE_TOMBSTONE_DAYS),
    Topic(FILTERING_AUDIT, (AuditEntry,), "none", "filtering", ("operators",), "delete",
          retention_days=365),
    Topic(PSEUDONYMISATION_AUDIT, (AuditEntry,), "none", "pseudonymisation", ("operators",), "delete",
          retention_days=365),
    Topic(CONNECTORS_AUDIT, (AuditEntry,), "none", "connectors", ("operators",), "delete",
          retention_days=365),
    Topic(POLICIES_AUDIT, (PolicyAct,), "none", "operators", ("operators",), "delete",
          partitions="one", retention_days=3650),
    Topic(READS_AUDIT, (ReadAct,), "none", "operators", ("operators",), "delete",
          partitions="one", retention_days=3650),
    Topic(KEYS_AUDIT, (KeyAct,), "none", "operators", ("operators",), "delete",
          partitions="one", retention_days=3650),
)  # fmt: skip


def named_for(template: str, provider: str) -> str:
    """The topic of one provider: `providers.<provider>.directory.v1` → `providers.gar.directory.v1`."""
    return template.replace("<provider>", provider)


def quarantine_of(topic: str) -> str:
    return f"{topic}.quarantine"


def expand(providers: tuple[str, ...]) -> tuple[Topic, ...]:
    """Every topic that a cluster with these providers has, quarantines included, in the order of the flow."""
    named = [
        replace(topic, name=named_for(topic.name, provider))
        for topic in TOPICS
        for provider in (providers if "<provider>" in topic.name else ("",))
    ]
    return tuple(each for topic in named for each in ((topic, _quarantine(topic)) if topic.quarantined else (topic,)))


def _quarantine(topic: Topic) -> Topic:
    return Topic(
        quarantine_of(topic.name), (QuarantinedRecord,), "none", topic.readers[0], ("operators",), "delete",
        partitions=topic.partitions, retention_days=QUARANTINE_DAYS,
    )  # fmt: skip
