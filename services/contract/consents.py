"""What a family decided: one record a decision, never amended; a later one supersedes it."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, StringConstraints

from services.contract.errors import Payload

ConsentStatus = Literal["given", "refused", "withdrawn"]

Party = Annotated[str, StringConstraints(pattern=r"^(child|subject|guardian:.{1,160})$")]
"""Who decides: `child` and `subject` are the person; `guardian:<routing key>` one holder of parental authority."""


class ConsentDecision(Payload):
    """One party's word on one purpose at one provider (GDPR art. 7(1): `proof` says how it can be shown)."""

    subject: Annotated[str, StringConstraints(min_length=1, max_length=160)]
    """Routing key of the person concerned: the key of the record on `consents.decisions.v1`."""
    party: Party
    status: ConsentStatus
    at: AwareDatetime
    """When the party decided; never when it was recorded."""
    until: AwareDatetime | None
    """First instant at which it no longer counts; null has no end."""
    purpose: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    provider: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    notice: Annotated[str, StringConstraints(max_length=80)] | None
    """Version of the information the party was given (GDPR art. 13)."""
    proof: Annotated[str, StringConstraints(max_length=200)] | None
