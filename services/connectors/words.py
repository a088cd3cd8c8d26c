"""What the connector is told to tell of one pair, as plain values: nothing is modelled twice a record. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from services.contract.operations import OperationKind
from services.contract.policies import Kind


class Word(NamedTuple):
    """One operation, read and checked."""

    provider: str
    contract: str
    pseudonym: str
    seq: int
    policy_version: int
    event_id: str
    kind: Kind | None
    """Of an upsert; null is the order to forget, to restrict, or to use another name, or this one."""
    fields: Mapping[str, Any]
    place: bytes
    """`<contract>/<pseudonym>`: where the state keeps what belongs to the pair."""
    raw: bytes
    """As it came: what is kept while it waits."""
    restricted: bool = False
    """Whether it is the order to keep the person and not use her."""
    renamed_to: str = ""
    """By which name she is to be known instead; empty where she keeps hers."""
    adopted: bool = False
    """Whether nothing is said but by which names she was known until now."""
    renamed_from: tuple[str, ...] = ()
    """By which names the provider may know her still, oldest first."""

    @property
    def names_alone(self) -> bool:
        """Whether it says nothing but by which name she is known: that may wait, and where nobody is known it must."""
        return self.adopted or bool(self.renamed_to)

    @property
    def pair(self) -> str:
        return f"{self.provider}/{self.contract}"

    @property
    def operation(self) -> OperationKind:
        if self.kind is not None:
            return "upsert"
        if self.renamed_to:
            return "rotate"
        if self.adopted:
            return "adopt"
        return "restrict" if self.restricted else "delete"
