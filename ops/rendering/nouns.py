"""Which payloads have a schema, under which name, and the version of each. Renders nothing."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, TypeAdapter

from ops.rendering.deciding import DecisionRequest, Verdict
from services.contract.acts import Approval, PolicyAct
from services.contract.audit import AuditEntry, QuarantinedRecord
from services.contract.census import Census, GroupCensus
from services.contract.changes import Change, Identifier
from services.contract.consent_records import ConsentReceipt, ConsentRecord
from services.contract.consents import ConsentDecision
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
from services.contract.outcomes import Outcome
from services.contract.policies import ProviderPolicy
from services.contract.reads import ReadAct
from services.contract.releases import Release, Renaming, Restriction, Withdrawal
from services.contract.restrictions import RestrictionDecision


@dataclass(frozen=True)
class Noun:
    """One payload: its name in the design, and what validates it (a model, or a union of models)."""

    title: str
    type: Any
    description: str | None = None
    """Only of a union, which has no docstring."""
    version: int = 1

    @property
    def slug(self) -> str:
        """`ConsentDecision` → `consent-decision`: the name in files."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", self.title).lower()

    @property
    def file(self) -> str:
        return f"{self.slug}.v{self.version}.schema.json"

    @property
    def urn(self) -> str:
        return f"urn:sanctuaire:schema:{self.slug}:{self.version}"

    @cached_property
    def adapter(self) -> TypeAdapter[BaseModel]:
        return TypeAdapter(self.type)


NOUNS: tuple[Noun, ...] = (
    Noun("Change", Change),
    Noun("Identifier", Identifier),
    Noun("ConsentDecision", ConsentDecision),
    Noun("ObjectionDecision", ObjectionDecision),
    Noun("RestrictionDecision", RestrictionDecision),
    Noun("Link", Link),
    Noun("Claim", Claim),
    Noun("Merged", Merged),
    Noun("Moved", Moved),
    Noun("Forwarded", Forwarded),
    Noun("ProviderPolicy", ProviderPolicy),
    Noun("Approval", Approval),
    Noun("KeyOrder", KeyOrder),
    Noun("Census", Census),
    Noun("GroupCensus", GroupCensus),
    Noun("Release", Release),
    Noun("Withdrawal", Withdrawal),
    Noun("Restriction", Restriction),
    Noun("Renaming", Renaming),
    Noun("Heartbeat", Heartbeat),
    Noun(
        "Operation",
        Upsert | Delete | Restrict | Rotated | Adopted,
        "What a connector is to do at its provider: an upsert carries `kind` and `fields`, a restrict `restricted`, "
        "a rotated `renamed_to`, an adopted `adopted`, a delete none of them.",
    ),
    Noun("Outcome", Outcome, "What came of an operation: delivered, deferred or refused."),
    Noun("ProviderRecord", ProviderRecord),
    Noun("ProviderRestriction", ProviderRestriction),
    Noun("ProviderRenaming", ProviderRenaming),
    Noun("ProviderAdoption", ProviderAdoption),
    Noun("AuditEntry", AuditEntry),
    Noun("QuarantinedRecord", QuarantinedRecord),
    Noun("PolicyAct", PolicyAct),
    Noun("ReadAct", ReadAct),
    Noun("KeyAct", KeyAct),
    Noun("DecisionRequest", DecisionRequest),
    Noun("Verdict", Verdict),
    Noun("ConsentRecord", ConsentRecord),
    Noun("ConsentReceipt", ConsentReceipt),
)


def noun_of(payload: type[BaseModel]) -> Noun:
    """The noun a topic's payload belongs to: `Upsert` → `Operation`.

    Raises:
        LookupError: a topic carries what has no schema; a test finds it.
    """
    for noun in NOUNS:
        if payload.__name__ == noun.title or payload in _members(noun.type):
            return noun
    raise LookupError(payload.__name__)


def _members(kind: Any) -> tuple[Any, ...]:
    """The models of a union, through any `Annotated` around it."""
    union = getattr(kind, "__origin__", kind)
    return tuple(getattr(union, "__args__", ()))
