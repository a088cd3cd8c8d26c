"""The request and the verdict of `sanctuaire decide`, as strictly as design/rules.md lists their values.

What does not fit the request still gets a verdict (R0, hold); what fits can be decided by the other rules alone.
"""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from services.contract.consents import ConsentStatus, Party
from services.contract.errors import Payload
from services.contract.policies import Controller, Kind, LegalBasis, Perimeter, Place
from services.contract.reasons import ReasonCode, Rule
from services.contract.register import Period

Name = Annotated[str, StringConstraints(min_length=1, max_length=160)]


class RequestedContract(Period):
    """The contract under which the provider would receive; whole Europe/Paris days, both included."""

    id: Name
    purposes: tuple[Name, ...]
    fields: Mapping[str, tuple[Name, ...]]
    """Purpose → the fields it covers (R17)."""
    required: Mapping[str, tuple[Name, ...]]
    """Purpose → the fields without which nothing is sent."""


class RequestedProvider(Payload):
    """Who would receive, and where it would hold the data."""

    id: Name
    role: Literal["processor", "controller"]
    contract: RequestedContract | None
    """Null where there is none (R1, R2)."""
    places: tuple[Place, ...] | None
    """Null or empty is hold, for a provider is always somewhere (R0)."""


class RequestedSubject(Payload):
    """The person concerned, as far as the rules look."""

    kind: Kind
    birth_date: date | None
    emancipated: bool
    guardians: tuple[Name, ...] | None
    """Ids of the holders of parental authority."""
    opposing: tuple[Name, ...] | None = None
    """Ids of others whose no counts where a guardian's would (R10, R14), whom another directory names; of them nothing
    is asked, and nothing else is heard."""
    restrictions: tuple[Literal["protected-address", "no-diffusion", "court-order", "article-18"], ...] | None
    gone_since: date | None
    deleted: bool
    delivered: bool
    """The filter ever emitted a release for this pair, and no erasure has been confirmed since."""


class RequestedField(Payload):
    """One field that the provider would receive."""

    name: Name
    category: Literal["identity", "schooling", "contact", "address", "special", "free-text", "national-id"]


class RequestedConsent(Payload):
    """One party's word; the last one per party, purpose and provider counts, wherever it stands in the list."""

    party: Party
    status: ConsentStatus
    at: AwareDatetime
    until: AwareDatetime | None
    purpose: Name
    provider: Name
    notice: str | None
    proof: str | None


class RequestedObjection(Payload):
    """One objection (GDPR art. 21) and what became of it."""

    status: Literal["open", "upheld", "rejected"]
    at: AwareDatetime
    grounds: str | None = None
    """On which compelling grounds it was rejected; without them it still holds the pair (R15)."""


class DecisionRequest(Payload):
    """May this provider know this, now? Everything that the answer depends on, the time included."""

    now: AwareDatetime
    perimeter: Perimeter
    controller: Controller
    provider: RequestedProvider
    purpose: Name
    legal_basis: LegalBasis
    subject: RequestedSubject
    fields: tuple[RequestedField, ...]
    consents: tuple[RequestedConsent, ...] | None
    notice: str | None
    """Version of the information in force, which a consent must have been given on."""
    objections: tuple[RequestedObjection, ...] | None


class VerdictReason(Payload):
    """A rule whose verdict is the final one, and why."""

    rule: Rule
    code: ReasonCode


class Verdict(Payload):
    """The most restrictive of what the rules said."""

    verdict: Literal["release", "withhold", "hold", "erase"]
    fields: tuple[Name, ...]
    """Empty unless the verdict is `release`."""
    dropped: Mapping[str, Rule]
    """Every dropped field and the lowest rule that drops it."""
    reasons: Annotated[tuple[VerdictReason, ...], Field(min_length=1)]
    """In the order of the table, each rule once."""
    restrict: bool
    """Whether the provider, which has the pair, is to be told to restrict it (GDPR art. 18, 19)."""
    policy: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
