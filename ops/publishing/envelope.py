"""CloudEvents 1.0 over Kafka, binary mode (Kafka protocol binding §3.2): the headers of what a platform publishes."""

import hashlib

Header = tuple[str, bytes]

_EVENT_ID_OCTETS = 16


def headers_of(payload: str, value: bytes) -> list[Header]:
    """Headers of one record; `payload` is a schema's name: `change`.

    The event's id is a digest of its content: a record that is published again has the same id again.
    """
    event_id = hashlib.blake2b(value, digest_size=_EVENT_ID_OCTETS).hexdigest()
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", b"sanctuaire/ingress"),
        ("ce_type", b"sanctuaire." + payload.encode() + b".v1"),
        ("content-type", b"application/json"),
    ]
