"""Who is known under which names, counted over every stage: what a rotation has still to do, and what a root holds up.

Read from what the filter and the pseudonymiser remember and from the ledger; nothing is kept.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol, cast

import orjson

from ops.explaining.states import Entries, Wanted
from services.contract.errors import NoKey
from services.contract.topology import FILTERING_STATE, LEDGER, PSEUDONYMISATION_STATE
from services.filtering.subject import SUBJECT, Pair, load
from services.pseudonymisation.emission import SEQ
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser

if TYPE_CHECKING:
    from services.contract.identifiers import IdType
    from services.contract.naming import EntityClass


class States(Protocol):
    """What every stage remembers (explaining/states.py)."""

    def partitions(self, topic: str) -> int: ...
    def read(self, topic: str, partition: int, wanted: Wanted) -> Entries: ...


@dataclass(slots=True)
class Living:
    """Of one provider. A rotation has ended where all but `live` is nought."""

    live: int = 0
    """Pairs that it has, or may have."""
    unsaid: int = 0
    """Of these, those that the filter has not said under the names of now."""
    unnamed: int = 0
    """Pairs of which the pseudonymiser has not named the last word."""
    lingering: int = 0
    """Entries of the ledger under other names than those of now that were not ended, or not acknowledged."""

    @property
    def is_settled(self) -> bool:
        return not (self.unsaid or self.unnamed or self.lingering)

    def to_json(self) -> dict[str, int]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class _Names:
    """Pseudonyms as each provider, family and serial have them; prepared once for many."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._prepared: dict[tuple[str, str, int], Pseudonymiser | None] = {}

    def of(self, provider: str, pair: Pair, serial: int) -> str | None:
        """The name as of a serial; null where that was retired, for then nobody is known by it."""
        place = provider, pair.purpose_family, serial
        if place not in self._prepared:
            try:
                self._prepared[place] = Pseudonymiser.under(self._keyring.keys_of(*place).current)
            except NoKey:
                self._prepared[place] = None
        names = self._prepared[place]
        entity_class, namespace, id_type, value = pair.named_by
        if names is None:
            return None
        return names.pseudonym(cast("EntityClass", entity_class), namespace, cast("IdType", id_type), value)


def count_living(states: States, keyring: Keyring) -> Mapping[str, Living]:
    """By provider.

    Raises:
        Unreachable: the cluster went away in between.
    """
    found: dict[str, Living] = defaultdict(Living)
    names = _Names(keyring)
    numbers = range(states.partitions(FILTERING_STATE))
    current: set[bytes] = set()
    behind: dict[bytes, int] = {}
    for number in numbers:
        subjects = states.read(FILTERING_STATE, number, lambda key: key.startswith(SUBJECT))
        _count_pairs(subjects, names, keyring, found, current=current, behind=behind)
        del subjects
    for number in numbers:
        # Of who was handed over, the word lies where she began; so all are read before any is counted.
        named = states.read(PSEUDONYMISATION_STATE, number, lambda key: key[len(SEQ) :] in behind)
        for key, entry in named.items():
            if key.startswith(SEQ) and int(entry.value) >= behind[key[len(SEQ) :]]:
                del behind[key[len(SEQ) :]]
    for key in behind:
        found[_provider(key)].unnamed += 1
    for number in numbers:
        # A pseudonym's entry lies by the pseudonym (decisions/0017), not where the person is remembered.
        for key, entry in states.read(LEDGER, number, lambda key: key not in current).items():
            if not _is_ended(orjson.loads(entry.value)):
                found[_provider(key)].lingering += 1
    return {provider: found[provider] for provider in sorted(found)}


def _provider(key: bytes) -> str:
    return key.decode().partition("/")[0]


def _count_pairs(  # of whom, by which names, and what is filled
    subjects: Entries, names: _Names, keyring: Keyring, found: Mapping[str, Living], *,
    current: set[bytes], behind: dict[bytes, int],
) -> None:  # fmt: skip
    """Count the pairs of one partition; gather the ledger's keys of their names of now, and what is to be named."""
    for place, pair in _pairs(subjects):
        provider = place.partition("/")[0]
        living, now = found[provider], keyring.serial_of(provider)
        is_said = pair.serial >= now
        name = names.of(provider, pair, now if is_said or pair.last != "erase" else pair.serial)
        key = f"{place}/{name}".encode()
        if is_said or pair.last != "erase":
            current.add(key)
        living.live += pair.last != "erase"
        if pair.last != "erase" and not is_said:
            living.unsaid += 1
        elif name is not None:
            behind[key] = max(pair.seq, behind.get(key, 0))


def _pairs(subjects: Entries) -> Iterator[tuple[str, Pair]]:
    for entry in subjects.values():
        yield from load(entry.value).pairs.items()


def _is_ended(outcome: Mapping[str, Any]) -> bool:
    """Whether nobody is known under that name any more, by the provider's own acknowledgement."""
    if outcome["outcome"] != "delivered":
        return False
    return outcome["operation"] in {"delete", "rotate"} or outcome["code"] == "never-attempted"
