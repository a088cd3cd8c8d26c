"""What operators do to the policies, each act on the record: who put which set in force, who approved what it erases.

Operators are named; of anybody else there is nothing in it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Annotated, Final, Literal

import orjson
from pydantic import AwareDatetime, Field, StringConstraints

from services.contract.errors import Payload
from services.contract.policies import Digest, Slug

APPROVAL_KEY: Final = b"~approval"
"""Of the record beside the policies on `policies.v1`; no provider can have this name."""

Operator = Annotated[str, StringConstraints(min_length=1, max_length=120)]
PairName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9.-]{0,62}/[A-Za-z0-9][A-Za-z0-9.-]{0,40}$")]
"""`<provider>/<contract>`."""
ActKind = Literal["applied", "approved", "refused", "counted"]


class Signed(Payload):
    """Whose signature a set was taken on."""

    by: Operator
    at: AwareDatetime
    key: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{16}$")]
    """The first 64 bits of SHA-256 of the public key."""


class AppliedPolicy(Payload):
    """One provider's policy in the set, and what applying did to it."""

    version: Annotated[int, Field(ge=1)]
    digest: Digest
    state: Literal["new", "changed", "unchanged", "left"]


class PolicyAct(Payload):
    """One act of an operator; `change_set` names the whole set that was in force after it."""

    act: ActKind
    at: AwareDatetime
    by: Operator
    """Who ran the command."""
    change_set: Digest
    policies: Mapping[Slug, AppliedPolicy]
    """Those of the set; for an approval only those that were staged."""
    contracts: tuple[PairName, ...]
    """Those whose erasures were judged, or of which a new census tells; none where a set was put in force."""
    signed: Signed | None
    """Null where the act needs no signature."""
    previous: Digest | None
    """Of the record before this one, so that none can be altered or taken out unseen; null for the first."""


class Approval(Payload):
    """Whether what one set erases at once may go. It speaks of this set and of these contracts, and of nothing else."""

    change_set: Digest
    contracts: tuple[PairName, ...]
    """For which somebody waited: what the same set comes to erase on a later day is asked about then."""
    verdict: Literal["approved", "refused"]
    by: Operator
    at: AwareDatetime


def approved_of(approval: Approval | None, change_set: str) -> frozenset[str]:
    """`<provider>/<contract>` of what an operator has approved that this very set erases at once."""
    if approval is None or approval.verdict != "approved" or approval.change_set != change_set:
        return frozenset()
    return frozenset(approval.contracts)


def link(value: bytes) -> str:
    """What the next record calls this one."""
    return "sha256:" + hashlib.sha256(value).hexdigest()


def broken_at(values: Iterable[bytes]) -> int | None:
    """The number of the first record that does not follow the one before it; null for a whole chain.

    Where the records begin, retention may have ended them: the first that is left is taken as it is.
    """
    before: bytes | None = None
    for number, value in enumerate(values):
        try:
            previous = orjson.loads(value)["previous"]
        except (ValueError, LookupError, TypeError):
            return number
        if before is not None and previous != link(before):
            return number
        before = value
    return None
