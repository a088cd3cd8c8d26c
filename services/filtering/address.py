"""Address, rule R23: what generalisation left, and nothing finer (GDPR art. 5(1)(c), 25)."""

from typing import Final

from services.filtering.request import Request
from services.filtering.unknown import UNKNOWN

GENERALISED: Final = frozenset({"commune", "departement", "region"})
"""The levels an address may be generalised to, by the name of their field."""


def too_fine_fields(request: Request) -> frozenset[str]:
    """R23: whatever the contract says."""
    return frozenset(
        field.name
        for field in request.fields
        if field.name is not UNKNOWN and field.category == "address" and field.name not in GENERALISED
    )
