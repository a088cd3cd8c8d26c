"""What the filter lets go and takes back: one pair (subject × contract) a record, fenced by `seq`."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue, StringConstraints

from services.contract.errors import Payload
from services.contract.naming import NamedBy
from services.contract.policies import ContractId, Kind, Slug

MAX_SUBJECT = 160
"""Characters of a routing key that may travel on."""

Seq = Annotated[int, Field(ge=1)]
"""Issued by the filter on every emission for a pair: max(previous + 1, wall microseconds)."""

Subject = Annotated[str, StringConstraints(min_length=1, max_length=MAX_SUBJECT)]
"""A routing key."""

KeySerial = Annotated[int, Field(ge=0, lt=1 << 32)]
"""How often the names at a provider had changed (pseudonymisation/keyring.py); 0 where they never have."""


class _Decision(Payload):
    """What a release and a withdrawal share.

    What many emissions have in common is written first: the next stage knows it again by its bytes alone.
    """

    provider: Slug
    contract: ContractId
    purpose_family: Slug
    """Under which the key is derived: it travels along, so that an erasure needs no policy."""
    policy: Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
    policy_version: Annotated[int, Field(ge=1)]
    """Under which policy it was decided: a later stage that knows only older ones waits."""
    key_serial: KeySerial = 0
    """Under which names it leaves: a pseudonymiser whose keyring has not come as far waits."""


class Release(_Decision):
    """This provider may know these fields of this person, under this contract."""

    kind: Kind
    source: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    """The platform whose image this is: the codes of groups are its own."""
    named_by: NamedBy
    subject: Subject
    seq: Seq
    fields: Mapping[str, JsonValue]


Reasons = tuple[Annotated[str, StringConstraints(pattern=r"^R[0-9]{1,2}/[a-z0-9-]+$")], ...]


class Withdrawal(_Decision):
    """This provider has it, or may have it, and must lose it (GDPR art. 17, 19)."""

    reasons: Reasons
    """`<rule>/<code>`, in the order of the table."""
    named_by: NamedBy
    subject: Subject
    seq: Seq


class Restriction(_Decision):
    """This provider may keep it, and must not use it before the next release (GDPR art. 18, 19; rules.md, R15, R22)."""

    reasons: Reasons
    """`<rule>/<code>`, in the order of the table."""
    restricted: Literal[True]
    """Tells it from a withdrawal."""
    named_by: NamedBy
    subject: Subject
    seq: Seq


class Renaming(_Decision):
    """This provider has her and is told nothing new of her but the name that it now knows her by (a rotation)."""

    renamed: Literal[True]
    """Tells it from the others."""
    named_by: NamedBy
    subject: Subject
    seq: Seq


Emission = Release | Withdrawal | Restriction | Renaming
"""What the filter sends about one pair."""
