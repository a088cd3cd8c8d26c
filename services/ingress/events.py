"""What ingress writes: one CloudEvent a payload, whose id is a digest of its content."""

import hashlib
from typing import NamedTuple

from services.contract.changes import Change, Identifier
from services.contract.consents import ConsentDecision
from services.contract.envelope import Header, binary
from services.contract.topology import CHANGES, CONSENTS, IDENTIFIERS
from services.ingress.identifiers import record_key

_EVENT_ID_OCTETS = 16


class Event(NamedTuple):
    """One record to be written; `payload` is a schema's name: `change`."""

    topic: str
    key: str
    value: bytes
    payload: str


def event_id(value: bytes) -> str:
    """32 hexadecimal digits; published again, the same content has the same id again."""
    return hashlib.blake2b(value, digest_size=_EVENT_ID_OCTETS).hexdigest()


def headers_of(payload: str, value: bytes) -> list[Header]:
    return list(binary("ingress", payload, event_id(value)))


def decision_event(decision: ConsentDecision) -> Event:
    return Event(CONSENTS, decision.subject, decision.model_dump_json().encode(), "consent-decision")


def encode(change: Change) -> bytes:
    """One line of JSON: only what the change says, so that a patch stays a patch."""
    return change.model_dump_json(exclude_unset=True).encode()


def change_event(change: Change, key: str) -> Event:
    """`key` is the one that identifiers pin."""
    return Event(CHANGES, key, encode(change), "change")


def identifier_event(identifier: Identifier) -> Event:
    return Event(IDENTIFIERS, record_key(identifier), identifier.model_dump_json().encode(), "identifier")
