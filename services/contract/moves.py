"""What the partitions of two keys tell each other when an INE shows that they are one person's (decisions/0018).

A person without an INE is remembered under `<source>:<id>`, one with an INE under it. Only an INE proves two keys one.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, JsonValue, StringConstraints

from services.contract.errors import Payload
from services.contract.parsing import parse_one
from services.contract.releases import Seq

MAX_MOVE_BYTES = 900 * 1024
"""As much as the state keeps of one person."""

DroppedKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}:.+$", max_length=160)]
"""`<source>:<id>`; never an INE, so that two INEs never become one person."""
KeptKey = Annotated[str, StringConstraints(pattern=r"^([0-9]{9}[A-Z]{2}|[0-9]{10}[A-Z])$")]
"""An INE in its canonical form."""


class Claim(Payload):
    """Whether the image under one key shows this INE. Until both are one, nothing new is released under either."""

    dropped: DroppedKey
    kept: KeptKey
    """The key of the record."""
    on: bool
    """False takes back what an earlier one claimed: the directory has corrected the INE."""
    seq: Seq
    """From the numbers of the dropped key's partition."""


class Merged(Payload):
    """Both keys are one person's: the dropped key's partition hands her over, and forwards what comes later."""

    dropped: DroppedKey
    """The key of the record."""
    kept: KeptKey
    seq: Seq
    """That of the claim which it answers."""


class Moved(Payload):
    """All that was remembered under the dropped key, and what goes on from there."""

    dropped: DroppedKey
    kept: KeptKey
    """The key of the record."""
    seq: Seq
    """That of the claim."""
    issued: Seq
    """The last number that the dropped key's partition has issued: what follows is numbered higher."""
    state: Mapping[str, JsonValue]
    """Whose form only the filter knows."""


class Forwarded(Payload):
    """A record that came under the dropped key after she was handed over; its partition has found it readable."""

    dropped: DroppedKey
    kept: KeptKey
    """The key of the record."""
    topic: Annotated[str, StringConstraints(pattern=r"^[a-z.]+\.v1$")]
    """Where it came."""
    record: Annotated[Mapping[str, JsonValue], Field(min_length=1)]


Move = Claim | Merged | Moved | Forwarded


def read_move(raw: bytes) -> Move:
    """Parse one of them, or raise TooLarge, NotJson or NotThisSchema, none of which quotes a value."""
    return parse_one(_kind_of, raw, MAX_MOVE_BYTES)


def _kind_of(content: Any) -> type[Move]:
    told = content if isinstance(content, dict) else {}
    if "on" in told:
        return Claim
    if "state" in told:
        return Moved
    return Forwarded if "record" in told else Merged
