"""CloudEvents headers of what a platform publishes: an event's id is a digest of its content."""

import hashlib

from services.contract.envelope import Header, binary

_EVENT_ID_OCTETS = 16


def headers_of(payload: str, value: bytes) -> list[Header]:
    """Headers of one record; `payload` is a schema's name: `change`. Published again, it has the same id again."""
    return list(binary("ingress", payload, hashlib.blake2b(value, digest_size=_EVENT_ID_OCTETS).hexdigest()))
