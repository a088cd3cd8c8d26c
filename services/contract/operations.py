"""What a connector is to do at its provider, already under the provider's own names."""

from collections.abc import Mapping
from typing import Annotated, Literal, NewType

from pydantic import Field, JsonValue, StringConstraints

from services.contract.errors import Payload
from services.contract.policies import ContractId, Kind, Slug
from services.contract.releases import Seq

Pseudonym = NewType("Pseudonym", str)
"""32 characters of lower-case base32: a person at one provider for one purpose, and nowhere else."""

PseudonymText = Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{32}$")]


class Operation(Payload):
    """What an upsert and a delete share."""

    provider: Slug
    contract: ContractId
    pseudonym: PseudonymText
    seq: Seq
    policy: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    policy_version: Annotated[int, Field(ge=1)]
    event_id: Annotated[str, StringConstraints(pattern=r"^[a-z2-7]{32}$")]
    """The id under which it leaves: made with the provider's own key, so that two providers share none."""


class Upsert(Operation):
    """Know this person, as follows; what is not listed is not known."""

    kind: Kind
    fields: Mapping[str, JsonValue]


class Delete(Operation):
    """Forget this person."""


class Restrict(Operation):
    """Keep what you have of this person, and do not use it before the next upsert (GDPR art. 18)."""

    restricted: Literal[True]
    """Tells it from a delete."""


class Rotated(Operation):
    """Know by another name from now on whom you know by this one, and never use this one again."""

    renamed_to: PseudonymText


class ProviderRecord(Payload):
    """What a provider reads under a pseudonym on its own topic; a null value is the order to forget."""

    kind: Kind
    purpose: Slug
    fields: Mapping[str, JsonValue]


class ProviderRestriction(Payload):
    """What a provider reads under a pseudonym that it has: keep it, and do not use it before the next record."""

    restricted: Literal[True]


class ProviderRenaming(Payload):
    """What a provider reads under a pseudonym before its end: whom it is to know by another name from now on.

    The order to forget this pseudonym follows it on the same partition, with `renamed_to` in a header, so that it is
    not lost on a provider that comes after the topic was compacted.
    """

    renamed_to: PseudonymText


class ProviderAdoption(Payload):
    """What a provider reads under a new pseudonym before anything else: by which one it knew her until now."""

    renamed_from: PseudonymText


OperationKind = Literal["upsert", "delete", "restrict", "rotate"]
