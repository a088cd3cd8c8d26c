"""What a family decided: one record a decision, never amended; a later one supersedes it."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from services.contract.errors import Payload
from services.contract.identifiers import in_one_spelling


def _written_out(instant: object) -> object:
    """ValueError for a number, in a text or not: pydantic would count it in seconds from 1970, be it a year."""
    if isinstance(instant, datetime) or (isinstance(instant, str) and instant[4:5] == "-"):
        return instant
    raise ValueError("not a date-time")


Instant = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_written_out)]
"""RFC 3339, with an offset. Strict by its own check, after which the text is no JSON to pydantic any more."""
ConsentStatus = Literal["given", "refused", "withdrawn"]

Concerned = Annotated[str, StringConstraints(min_length=1, max_length=160), AfterValidator(in_one_spelling)]
"""The routing key of the person concerned, in NFC."""
Party = Annotated[
    str, StringConstraints(pattern=r"^(child|subject|guardian:.{1,160})$"), AfterValidator(in_one_spelling)
]
"""Who decides: `child` and `subject` are the person; `guardian:<routing key>` one holder of parental authority."""


class ConsentDecision(Payload):
    """One party's word on one purpose at one provider (GDPR art. 7(1): `proof` says how it can be shown)."""

    subject: Concerned
    """Routing key of the person concerned: the key of the record on `consents.decisions.v1`."""
    party: Party
    status: ConsentStatus
    at: Instant
    """When the party decided; never when it was recorded."""
    until: Instant | None
    """First instant at which it no longer counts; null has no end."""
    purpose: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    provider: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    notice: Annotated[str, StringConstraints(max_length=80)] | None
    """Version of the information the party was given (GDPR art. 13)."""
    proof: Annotated[str, StringConstraints(max_length=200)] | None
