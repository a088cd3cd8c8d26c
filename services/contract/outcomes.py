"""What came of an operation: the last word per pair on the ledger."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from services.contract.errors import Payload
from services.contract.operations import OperationKind, PseudonymText
from services.contract.policies import ContractId, Slug
from services.contract.releases import Seq


class OutcomeOfOperation(Payload):
    """What the three outcomes share."""

    provider: Slug
    contract: ContractId
    pseudonym: PseudonymText
    seq: Seq
    operation: OperationKind
    """`adopt`: the provider may know somebody by this name since a rotation, and was told nothing of her since."""
    at: AwareDatetime


class Delivered(OutcomeOfOperation):
    """The provider acknowledged it, or never had what it was to forget (`never-attempted`)."""

    outcome: Literal["delivered"] = "delivered"
    code: Literal["delivered", "never-attempted"] = "delivered"


class Deferred(OutcomeOfOperation):
    """Not yet: kept as the last word, tried again when `code` no longer holds."""

    outcome: Literal["deferred"] = "deferred"
    code: Literal["contract-not-in-force", "place-not-allowed", "field-not-in-contract"]


class Refused(OutcomeOfOperation):
    """Not, unless something newer comes."""

    outcome: Literal["refused"] = "refused"
    code: Literal["superseded", "duplicate", "unexpected"]


OutcomeCode = Literal[
    "delivered", "never-attempted", "contract-not-in-force", "place-not-allowed", "field-not-in-contract",
    "superseded", "duplicate", "unexpected",
]  # fmt: skip
"""Any code of the three; it says which of them it is."""

OUTCOME_OF: Mapping[OutcomeCode, Literal["delivered", "deferred", "refused"]] = MappingProxyType(
    {
        "delivered": "delivered",
        "never-attempted": "delivered",
        "contract-not-in-force": "deferred",
        "place-not-allowed": "deferred",
        "field-not-in-contract": "deferred",
        "superseded": "refused",
        "duplicate": "refused",
        "unexpected": "refused",
    }
)

Outcome = Annotated[Delivered | Deferred | Refused, Field(discriminator="outcome")]
