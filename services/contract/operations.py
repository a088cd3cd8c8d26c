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

FormerNames = Annotated[tuple[PseudonymText, ...], Field(exclude_if=lambda names: not names)]
"""By which names the provider may know her still, oldest first: on every word while names change, and then only."""


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
    renamed_from: FormerNames = ()


class Delete(Operation):
    """Forget this person."""

    renamed_from: FormerNames = ()


class Restrict(Operation):
    """Keep what you have of this person, and do not use it before the next upsert (GDPR art. 18)."""

    restricted: Literal[True]
    """Tells it from a delete."""
    renamed_from: FormerNames = ()


class Rotated(Operation):
    """Know by another name from now on whom you know by this one, and never use this one again."""

    renamed_to: PseudonymText


class Adopted(Operation):
    """Know by this name whom you know by another, where there is nothing else to say of her under this one."""

    adopted: Literal[True]
    """Tells it from a delete."""
    renamed_from: Annotated[tuple[PseudonymText, ...], Field(min_length=1)]


class ProviderRecord(Payload):
    """What a provider reads under a pseudonym on its own topic; a null value is the order to forget.

    While names change, every record under a new name, the order to forget it included, has a header `renamed_from`: the
    names of before, oldest first, with commas between them. What a provider does with it is in schemas/README.md.
    """

    kind: Kind
    purpose: Slug
    fields: Mapping[str, JsonValue]


class ProviderRestriction(Payload):
    """What a provider reads under a pseudonym that it has: keep it, and do not use it before the next record."""

    restricted: Literal[True]


class ProviderRenaming(Payload):
    """What a provider reads under a pseudonym before its end: whom it is to know by another name from now on.

    Only a name that has neither fields nor an end takes the account over; else the account is forgotten, for what was
    read under the new name is later. The order to forget this pseudonym follows on the same partition, with
    `renamed_to` in a header, so that it is not lost on a provider that comes after the topic was compacted.
    """

    renamed_to: PseudonymText


class ProviderAdoption(Payload):
    """What a provider reads under a new pseudonym where nothing else may be said: by which ones it knew her until now.

    It makes no account: whom it knows by none of these names it does not know by this one.
    """

    renamed_from: Annotated[tuple[PseudonymText, ...], Field(min_length=1)]


OperationKind = Literal["upsert", "delete", "restrict", "rotate", "adopt"]
