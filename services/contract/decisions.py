"""Everything that `consents.decisions.v1` carries, told apart by what it says."""

from typing import Any

from services.contract.consents import ConsentDecision
from services.contract.objections import ObjectionDecision
from services.contract.parsing import parse_one
from services.contract.restrictions import RestrictionDecision

Decision = ConsentDecision | ObjectionDecision | RestrictionDecision


def read_decision(raw: bytes, limit_bytes: int) -> Decision:
    """Parse one decision, or raise TooLarge, NotJson or NotThisSchema, none of which quotes a value."""
    return parse_one(_kind_of, raw, limit_bytes)


def _kind_of(content: Any) -> type[Decision]:
    if isinstance(content, dict) and "objection" in content:
        return ObjectionDecision
    return RestrictionDecision if isinstance(content, dict) and "restriction" in content else ConsentDecision
