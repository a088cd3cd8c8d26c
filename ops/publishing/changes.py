"""Changes to `directory.changes.v1`, each after the identifiers that it relies on."""

from ops.publishing.cluster import Addresses, read_whole
from ops.publishing.delivery import Delivery
from services.contract.changes import MAX_CHANGE_BYTES, Change
from services.contract.errors import NotThisSchema, TooLarge, Unreadable
from services.contract.topology import IDENTIFIERS
from services.ingress.events import Event, change_event, identifier_event
from services.ingress.identifiers import Identifiers, parse_identifier

CHUNK_RECORDS = 2000
CHUNK_BYTES = 8 << 20


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
            known.remember(parse_identifier(key, value))
        except Unreadable as error:
            raise NotThisSchema(f"{IDENTIFIERS}, offset {offset}: {error}") from None
    return known


class ChangePublisher:
    """Publishes in chunks: a chunk's identifiers are acknowledged before its first change is sent."""

    def __init__(self, delivery: Delivery, identifiers: Identifiers, limit_bytes: int = MAX_CHANGE_BYTES) -> None:
        self._delivery = delivery
        self._identifiers = identifiers
        self._limit = limit_bytes
        self._chunk: list[Event] = []
        self._bytes = 0
        self._new: dict[str, Event] = {}

    def add(self, change: Change) -> None:
        """Publish one change, soon.

        Raises:
            TooLarge: this change; the others are not concerned.
            Unreachable: Kafka stopped taking records.
        """
        event = change_event(change, self._identifiers.key_of(change))
        if len(event.value) > self._limit:
            raise TooLarge(f"a change of over {self._limit} bytes")
        if (identifier := self._identifiers.learn(change)) is not None:
            new = identifier_event(identifier)
            self._new[new.key] = new
        self._chunk.append(event)
        self._bytes += len(event.value)
        if len(self._chunk) >= CHUNK_RECORDS or self._bytes >= CHUNK_BYTES:
            self._send_chunk()

    def settle(self) -> None:
        """Send what is left and wait until all of it is acknowledged."""
        self._send_chunk()
        self._delivery.settle()

    def _send_chunk(self) -> None:
        for event in self._new.values():
            self._delivery.send(event)
        self._delivery.settle()
        for event in self._chunk:
            self._delivery.send(event)
        self._chunk, self._bytes, self._new = [], 0, {}
