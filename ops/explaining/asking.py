"""From what an operator types to the trace: finds the person, her pairs at every stage, and puts the look on record."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from zlib import crc32

from kafka.errors import KafkaError

from ops.explaining.kept import Entry
from ops.explaining.states import Entries, States, partition_of
from ops.explaining.trace import Asked, Delivery, Trace, trace
from ops.explaining.whereabouts import Found, Whereabouts, whereabouts
from ops.publishing.cluster import Addresses, open_producer
from services.connectors import freshness
from services.contract.errors import Unreachable, WrongSettings
from services.contract.identifiers import canonical_ine
from services.contract.naming import NamedBy
from services.contract.policies import ProviderPolicy
from services.contract.reads import ReadAct
from services.contract.topology import (
    CONNECTORS_STATE,
    FILTERING_STATE,
    IDENTIFIERS,
    LEDGER,
    PSEUDONYMISATION_STATE,
    READS_AUDIT,
    named_for,
)
from services.filtering.generalisation import Counted
from services.filtering.subject import SUBJECT, Pair, load
from services.ingress.events import headers_of
from services.ingress.identifiers import parse_identifier
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser

NO_KEYRING = "Without the keyring nobody can say under which name the provider knows this person: give --keys."


class Person(NamedTuple):
    """Where somebody is remembered, and what of her."""

    key: str
    partition: int
    entry: Entry


def find(states: States, typed: str) -> Person | None:
    """The person of a routing key; of `<source>:<id>` also one who is, or was first published, under her INE."""
    key = canonical_ine(typed) or typed
    found = _remembered(states, key)
    if found is not None and (kept := load(found.entry.value).particulars.identity.kept):
        return _remembered(states, kept) or found
    if found is None and ":" in key:
        source, _, local = key.partition(":")
        pinned = _pinned(states, f"{source}/person/{local}".encode())
        found = _remembered(states, pinned) if pinned else None
    return found


def was_ever_released(person: Person, provider: str) -> bool:
    return any(name.startswith(f"{provider}/") for name in load(person.entry.value).pairs)


def _remembered(states: States, key: str) -> Person | None:
    partitions = states.partitions(FILTERING_STATE)
    if not partitions:
        return None
    number, place = partition_of(key, partitions), SUBJECT + key.encode()
    entry = states.read(FILTERING_STATE, number, lambda known: known == place).get(place)
    return None if entry is None else Person(key, number, entry)


def _pinned(states: States, place: bytes) -> str | None:
    entry = states.read(IDENTIFIERS, 0, lambda known: known == place).get(place)
    return None if entry is None else parse_identifier(place, entry.value).value


def explain(  # the question has that many parts
    states: States, person: Person, policy: ProviderPolicy | None, keyring: Keyring | None, *,
    typed: str, provider: str, at: datetime, values: bool, approved: frozenset[str],
    counted: Counted | None = None,
) -> Trace:  # fmt: skip
    """Read what every stage has of her, and put it together.

    Raises:
        WrongSettings: the keyring is of another perimeter.
    """
    known = load(person.entry.value)
    asked = Asked(
        typed, provider, at, values, person.key, person.partition, person.entry.written_at, known, approved, counted
    )
    if keyring is None:
        return trace(asked, policy, None, NO_KEYRING)
    if policy is not None and policy.perimeter.id != keyring.perimeter:
        raise WrongSettings("the keyring is of another perimeter than the policies")
    mine = {name: pair for name, pair in known.pairs.items() if name.startswith(f"{provider}/")}
    names = {name: pseudonyms_of(provider, pair, keyring, pair.serial)[0] for name, pair in mine.items()}
    homes = known.particulars.identity.homes
    partitions = states.partitions(FILTERING_STATE)
    where = {name: partition_of(homes[name], partitions) if name in homes else person.partition for name in mine}
    return trace(asked, policy, _delivery(states, where, provider, names), None)


def _delivery(states: States, where: Mapping[str, int], provider: str, names: Mapping[str, str]) -> Delivery:
    """From each pair's pseudonym and the partition that it lives in; each state is read once a partition."""
    found = {
        partition: _found(states, partition, provider, [name for name in names if where[name] == partition], names)
        for partition in set(where.values())
    }

    def deliver(name: str, fence: Pair) -> tuple[str, Whereabouts]:
        return names[name], whereabouts(name, names[name], fence, found[where[name]])

    return deliver


def _found(states: States, partition: int, provider: str, pairs: Sequence[str], names: Mapping[str, str]) -> Found:
    endings = tuple({f"/{name.partition('/')[2]}/{names[name]}".encode() for name in pairs})

    def is_hers(key: bytes) -> bool:
        return key.endswith(endings) or key.startswith(freshness.HEARTBEAT)

    def read_by_name(topic: str) -> Entries:
        """Where her pseudonyms lie; of the heartbeats those of one of these partitions."""
        count = states.partitions(topic)
        numbers = sorted({crc32(names[name].encode()) % count for name in pairs}) if count else []
        return {key: entry for number in numbers for key, entry in states.read(topic, number, is_hers).items()}

    return Found(
        states.read(PSEUDONYMISATION_STATE, partition, is_hers),
        read_by_name(named_for(CONNECTORS_STATE, provider)),
        read_by_name(LEDGER),
    )


def pseudonyms_of(provider: str, pair: Pair, keyring: Keyring, serial: int) -> list[str]:
    """The name as of a serial, then those of before under which the provider may still know her."""
    entity_class, namespace, id_type, value = pair.named_by
    named_by = NamedBy.model_validate(
        {"entity_class": entity_class, "namespace": namespace, "type": id_type, "value": value}
    )
    keys = keyring.keys_of(provider, pair.purpose_family, serial)
    return [Pseudonymiser.under(key).name(named_by) for key in (keys.current, *keys.former)]


def put_on_record(addresses: Addresses, act: ReadAct) -> None:
    """Before anything is shown: what is not on record is not shown.

    Raises:
        Unreachable: the record was not acknowledged.
    """
    value = act.model_dump_json().encode()
    try:
        with open_producer(addresses) as producer:
            producer.send(READS_AUDIT, value, headers=headers_of("read-act", value)).get(timeout=30)
    except KafkaError as error:
        raise Unreachable(
            f"{READS_AUDIT}: the look could not be put on record ({type(error).__name__}), so nothing is shown; "
            "try again"
        ) from None
