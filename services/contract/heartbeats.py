"""How far the filter has come with what families decide: once a second and partition, among its withdrawals."""

from typing import Annotated

from pydantic import AwareDatetime, Field

from services.contract.errors import KeyMismatch, Payload
from services.contract.parsing import parse_json, parse_payload

MAX_HEARTBEAT_BYTES = 4096


class Heartbeat(Payload):
    """Every consent accepted up to an instant is applied, and what it withdrew stands before this in the partition.

    It has no key and is no input: no account counts it, and it says what it vouches for there (decisions/0010, 0019).
    """

    partition: Annotated[int, Field(ge=0)]
    """Of the filter's topics. The pseudonymiser hands it on in every partition of each provider's: the people of this
    one are everywhere there."""
    applied_until: AwareDatetime


def read_heartbeat(raw: bytes, partition: int | None = None) -> Heartbeat | None:
    """The heartbeat, of this partition or of any, that a record without a key is; null where it says something else.

    Raises:
        Unreadable: not JSON, no true heartbeat, or the one of another partition.
    """
    content = parse_json(raw, MAX_HEARTBEAT_BYTES)
    if not isinstance(content, dict) or "applied_until" not in content:
        return None
    heartbeat = parse_payload(Heartbeat, raw, MAX_HEARTBEAT_BYTES)
    if partition not in {None, heartbeat.partition}:
        raise KeyMismatch("partition: the heartbeat of another one")
    return heartbeat
