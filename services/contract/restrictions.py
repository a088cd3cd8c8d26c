"""What holds a person's data back on every ground: one record a step, never amended (GDPR art. 18)."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from services.contract.consents import Concerned, Instant
from services.contract.errors import Payload

RestrictionKind = Literal["protected-address", "court-order", "article-18"]
"""`no-diffusion` is not among them: the directory's own image says it."""


class RestrictionDecision(Payload):
    """Whether one restriction stands, on `consents.decisions.v1`, for every provider.

    Of the records of one restriction the latest by `at` counts, whatever the order in which they come.
    """

    subject: Concerned
    """Routing key of the person concerned: the key of the record."""
    restriction: RestrictionKind
    reference: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    """The controller's own number for it: two orders may stand at once, and one of them be lifted."""
    status: Literal["standing", "lifted"]
    at: Instant
    """When it was so decided. It stands from when it is known here, be this earlier or later."""
    until: Instant | None
    """First instant at which it no longer stands; null has no end."""
