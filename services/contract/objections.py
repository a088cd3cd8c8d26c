"""What a person holds against processing that rests on no consent: one record a step, never amended (GDPR art. 21)."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from services.contract.consents import Concerned, Instant, Party
from services.contract.errors import Payload

ObjectionStatus = Literal["open", "upheld", "rejected"]


class ObjectionDecision(Payload):
    """How one objection stands, on `consents.decisions.v1`: it is open once it is made, then upheld or rejected.

    Of the records of one objection the latest by `at` counts, whatever the order in which they come.
    """

    subject: Concerned
    """Routing key of the person concerned: the key of the record."""
    party: Party
    """Who objects, for the person concerned."""
    objection: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    """The controller's own number for it: a person may object to one purpose more than once."""
    status: ObjectionStatus
    at: Instant
    """Since when it stands so."""
    purpose: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    provider: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    grounds: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None
    """Where the compelling grounds are written down on which it was rejected; without them it is not answered."""
