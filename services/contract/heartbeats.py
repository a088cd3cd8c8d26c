"""How far the filter has come with what families decide: once a second and partition, among its withdrawals."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from services.contract.errors import Payload


class Heartbeat(Payload):
    """Every consent accepted up to an instant is applied, and what it withdrew stands before this in the partition.

    It has no key and is no input: no account speaks of it (decisions/0010).
    """

    partition: Annotated[int, Field(ge=0)]
    """Of the filter's topics; every later stage hands it on in the partition of the same number."""
    applied_until: AwareDatetime
