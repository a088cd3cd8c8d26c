"""What operators do to the keys: which names are in force now, and the record of every step. Holds no key.

Operators and providers are named; of anybody else there is nothing in it.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from services.contract.acts import Operator, Signed
from services.contract.errors import Payload
from services.contract.policies import Digest, Slug
from services.contract.reads import Reference
from services.contract.releases import KeySerial

KEYS_KEY: Final = b"~keys"
"""Of the record beside the policies on `policies.v1`; no provider can have this name."""


class KeyOrder(Payload):
    """Since which serial each provider has its names: whoever is known by an older one is named anew."""

    everyone: KeySerial
    """Of the epoch that is active."""
    providers: Mapping[Slug, KeySerial]
    """Of those that were re-keyed."""
    announced: Annotated[int, Field(ge=1)]
    """How often this was said: every time, everybody is gone over once more."""
    by: Operator
    at: AwareDatetime

    @property
    def latest(self) -> int:
        return max((self.everyone, *self.providers.values()))

    def serial_of(self, provider: str) -> int:
        return max(self.everyone, self.providers.get(provider, 0))


KeyActKind = Literal[
    "made", "prepared", "rotated", "rekeyed", "announced", "retired", "destruction-requested", "destroyed"
]


class KeyAct(Payload):
    """One step in the life of the keyring."""

    act: KeyActKind
    at: AwareDatetime
    by: Operator
    """Who ran the command."""
    perimeter: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    serial: KeySerial
    """After the step."""
    epoch: Annotated[int, Field(ge=1)] | None
    """Of which it was, where it was of one."""
    provider: Slug | None
    """Which was re-keyed."""
    reference: Reference | None
    signed: tuple[Signed, ...]
    """Whose signatures it rests on: of a destruction two."""
    previous: Digest | None
    """Of the record before this one, so that none can be altered or taken out unseen; null for the first."""
