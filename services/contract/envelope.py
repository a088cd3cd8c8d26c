"""CloudEvents 1.0 over Kafka: binary mode out, both modes in (Kafka protocol binding §3)."""

from collections.abc import Sequence
from functools import cache
from typing import Final

import orjson

from services.contract.errors import NotThisSchema
from services.contract.parsing import parse_json

Header = tuple[str, bytes | None]

_SPECVERSION: Final[Header] = ("ce_specversion", b"1.0")
_JSON: Final[Header] = ("content-type", b"application/json")
_STRUCTURED: Final = b"application/cloudevents"


def binary(source: str, payload: str, event_id: str) -> list[Header]:
    """Headers of one record, whose value is the payload alone. `payload` is a schema's name: `release`."""
    return [_SPECVERSION, ("ce_id", event_id.encode()), *kind(source, payload)]


def binary_of(shared: Sequence[Header], event_id: bytes) -> list[Header]:
    """The same, with what `kind` gave once for many and the id in ASCII."""
    return [_SPECVERSION, ("ce_id", event_id), *shared]


@cache
def kind(source: str, payload: str) -> tuple[Header, ...]:
    """What every record of one writer and schema shares."""
    return (
        ("ce_source", b"sanctuaire/" + source.encode()),
        ("ce_type", b"sanctuaire." + payload.encode() + b".v1"),
        _JSON,
    )


def body(value: bytes | None, headers: Sequence[Header], limit_bytes: int) -> bytes:
    """The payload of a record in either mode.

    Raises:
        Unreadable: without a value, or in structured mode without `data`.
    """
    if value is None:
        message = "payload: a tombstone is not expected on this topic"
        raise NotThisSchema(message)
    if headers and headers[-1] == _JSON:  # as our own services write it
        return value
    for name, content in headers:
        if content is not None and content.startswith(_STRUCTURED) and name.lower() == "content-type":
            event = parse_json(value, limit_bytes)
            if not isinstance(event, dict) or "data" not in event or event.get("specversion") != "1.0":
                message = "payload: a structured event needs specversion 1.0 and data"
                raise NotThisSchema(message)
            return orjson.dumps(event["data"])
    return value
