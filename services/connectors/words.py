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
    """Of an upsert; null is the order to forget, to restrict, or to use another name."""
    fields: Mapping[str, Any]
    place: bytes
    """`<contract>/<pseudonym>`: where the state keeps what belongs to the pair."""
    raw: bytes
    """As it came: what is kept while it waits."""
    restricted: bool = False
    """Whether it is the order to keep the person and not use her."""
    renamed_to: str = ""
    """By which name she is to be known instead; empty where she keeps hers."""
    adopts: bool = False
    """Whether the provider may not know that name yet."""

    @property
    def pair(self) -> str:
        return f"{self.provider}/{self.contract}"

    @property
    def operation(self) -> OperationKind:
        if self.kind is not None:
            return "upsert"
        if self.renamed_to:
            return "rotate"
        return "restrict" if self.restricted else "delete"
