"""What was published before: the UAI of each school, and the key under which each person was first published.

Kept in memory, one entry a person; `directory.identifiers.v1` makes it last (ops/decisions/0002).
"""

from collections import defaultdict
from collections.abc import Mapping

from services.contract.changes import Change, Identifier, routing_key
from services.contract.consents import ConsentDecision
from services.contract.errors import KeyMismatch
from services.contract.identifiers import canonical_uai
from services.contract.parsing import parse_payload

MAX_IDENTIFIER_BYTES = 4096


class Identifiers:
    """The keys and structures of every source."""

    def __init__(self) -> None:
        self._keys: defaultdict[str, dict[str, str]] = defaultdict(dict)
        self._structures: defaultdict[str, dict[str, str]] = defaultdict(dict)

    def structures_of(self, source: str) -> Mapping[str, str]:
        """Jointure id → UAI: what an AAF set of this source may name without explaining it."""
        return self._structures[source]

    def key_of(self, change: Change) -> str:
        """The key of the record on `directory.changes.v1`: a pinned one stays, whatever INE comes later."""
        if change.entity != "person":
            return f"{change.source}:{change.id}"
        pinned = self._keys[change.source].get(change.id)
        return pinned or routing_key(change.source, change.id, change.attributes.ine)

    def addressed(self, decision: ConsentDecision) -> ConsentDecision:
        """The decision under the key that its person was first published under, where `<source>:<id>` names her.

        A pupil who was published with her INE is remembered under that alone: under the other key nobody would hear it.
        """
        source, _, local = decision.subject.partition(":")
        pinned = self._keys[source].get(local) if source in self._keys else None
        return decision if pinned in {None, decision.subject} else decision.model_copy(update={"subject": pinned})

    def learn(self, change: Change) -> Identifier | None:
        """Take in what the change teaches; what is new must be on its topic before the change is sent."""
        match change.entity:
            case "person":
                value: str | None = self.key_of(change)
            case "school":
                value = canonical_uai(change.attributes.uai)
            case _:
                return None
        if value is None or self._table(change.entity)[change.source].get(change.id) == value:
            return None
        identifier = Identifier(source=change.source, entity=change.entity, id=change.id, value=value)
        self.remember(identifier)
        return identifier

    def remember(self, identifier: Identifier) -> None:
        self._table(identifier.entity)[identifier.source][identifier.id] = identifier.value

    def forget(self, identifier: Identifier) -> None:
        """Unlearn what could not be published; what is known otherwise by now stays."""
        table = self._table(identifier.entity)[identifier.source]
        if table.get(identifier.id) == identifier.value:
            del table[identifier.id]

    def _table(self, entity: str) -> defaultdict[str, dict[str, str]]:
        return self._keys if entity == "person" else self._structures


def record_key(identifier: Identifier) -> str:
    """The key on `directory.identifiers.v1`."""
    return f"{identifier.source}/{identifier.entity}/{identifier.id}"


def parse_identifier(key: bytes | None, value: bytes) -> Identifier:
    """One record of the topic; Unreadable where it is none, or lies under another's key."""
    identifier = parse_payload(Identifier, value, MAX_IDENTIFIER_BYTES)
    if key != record_key(identifier).encode():
        raise KeyMismatch("key: not that of the payload")
    return identifier
