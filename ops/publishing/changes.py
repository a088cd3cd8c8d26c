"""Changes to `directory.changes.v1`, each after the identifiers that it relies on."""

from ops.publishing.cluster import Addresses, read_whole
from ops.publishing.delivery import Delivery
from ops.publishing.identifiers import Identifiers, record_key
from services.contract.changes import MAX_CHANGE_BYTES, Change, Identifier, parse_change
from services.contract.errors import NotThisSchema, TooLarge, Unreadable
from services.contract.parsing import parse_payload
from services.contract.topology import CHANGES, IDENTIFIERS

__all__ = ["ChangePublisher", "encode", "parse_change", "read_identifiers"]

MAX_IDENTIFIER_BYTES = 4096
CHUNK_RECORDS = 2000
CHUNK_BYTES = 8 << 20


def encode(change: Change) -> bytes:
    """One line of JSON: only what the change says, so that a patch stays a patch."""
    return change.model_dump_json(exclude_unset=True).encode()


def read_identifiers(addresses: Addresses) -> Identifiers:
    """All that was published before.

    Raises:
        NotThisSchema: a record cannot be read; without it, a person could become two.
        Unreachable: the cluster went away.
    """
    known = Identifiers()
    for offset, key, value in read_whole(addresses, IDENTIFIERS):
        if value is None:
            continue
        try:
            identifier = parse_payload(Identifier, value, MAX_IDENTIFIER_BYTES)
        except Unreadable as error:
            raise NotThisSchema(f"{IDENTIFIERS}, offset {offset}: {error}") from None
        if key != record_key(identifier).encode():
            raise NotThisSchema(f"{IDENTIFIERS}, offset {offset}: the key is not that of the payload")
        known.remember(identifier)
    return known


class ChangePublisher:
    """Publishes in chunks: a chunk's identifiers are acknowledged before its first change is sent."""

    def __init__(self, delivery: Delivery, identifiers: Identifiers, limit_bytes: int = MAX_CHANGE_BYTES) -> None:
        self._delivery = delivery
        self._identifiers = identifiers
        self._limit = limit_bytes
        self._chunk: list[tuple[str, bytes]] = []
        self._bytes = 0
        self._new: dict[str, bytes] = {}

    def add(self, change: Change) -> None:
        """Publish one change, soon.

        Raises:
            TooLarge: this change; the others are not concerned.
            Unreachable: Kafka stopped taking records.
        """
        value = encode(change)
        if len(value) > self._limit:
            raise TooLarge(f"a change of over {self._limit} bytes")
        if (identifier := self._identifiers.learn(change)) is not None:
            self._new[record_key(identifier)] = identifier.model_dump_json().encode()
        self._chunk.append((self._identifiers.key_of(change), value))
        self._bytes += len(value)
        if len(self._chunk) >= CHUNK_RECORDS or self._bytes >= CHUNK_BYTES:
            self._send_chunk()

    def settle(self) -> None:
        """Send what is left and wait until all of it is acknowledged."""
        self._send_chunk()
        self._delivery.settle()

    def _send_chunk(self) -> None:
        for key, value in self._new.items():
            self._delivery.send(IDENTIFIERS, key, value, "identifier")
        self._delivery.settle()
        for key, value in self._chunk:
            self._delivery.send(CHANGES, key, value, "change")
        self._chunk, self._bytes, self._new = [], 0, {}
