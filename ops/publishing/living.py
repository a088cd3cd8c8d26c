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

    unheard: int = 0
    """Names of now that the provider was told to use for others, and of which the ledger has nothing yet."""

    @property
    def is_settled(self) -> bool:
        return not (self.unsaid or self.unnamed or self.lingering or self.unheard)

    def to_json(self) -> dict[str, int]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


class _Names:
    """Pseudonyms as each provider, family and serial have them; prepared once for many."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._prepared: dict[tuple[str, str, int], tuple[Pseudonymiser, ...]] = {}

    def of(self, provider: str, pair: Pair, serial: int) -> str | None:
        """The name as of a serial; null where that was retired, for then nobody is known by it."""
        names = self._names_at(provider, pair.purpose_family, serial)
        return _written(names[0], pair) if names else None

    def of_before(self, provider: str, pair: Pair, serial: int) -> list[str]:
        """The names that the provider may still know beside it; none, but while names change."""
        return [_written(each, pair) for each in self._names_at(provider, pair.purpose_family, serial)[1:]]

    def _names_at(self, provider: str, family: str, serial: int) -> tuple[Pseudonymiser, ...]:
        place = provider, family, serial
        if place not in self._prepared:
            try:
                keys = self._keyring.keys_of(*place)
                self._prepared[place] = tuple(Pseudonymiser.under(key) for key in (keys.current, *keys.former))
            except NoKey:
                self._prepared[place] = ()
        return self._prepared[place]


def _written(names: Pseudonymiser, pair: Pair) -> str:
    entity_class, namespace, id_type, value = pair.named_by
    return names.pseudonym(cast("EntityClass", entity_class), namespace, cast("IdType", id_type), value)


class _Told:
    """What the ledger is held against: by which names people are known now, and which of before those stand for."""

    def __init__(self) -> None:
        self.current: set[bytes] = set()
        self.standing_for: dict[bytes, bytes] = {}
        """Name of before → that of now; of who may be known by both, and so only while names change."""
        self._heard: set[bytes] = set()
        self._handed_on: set[bytes] = set()

    def is_of_before(self, key: bytes) -> bool:
        """As `States.read` asks of every entry."""
        if key not in self.current:
            return True
        if self.standing_for:
            self._heard.add(key)
        return False

    def hand_on(self, key: bytes, outcome: Mapping[str, Any]) -> None:
        """The provider was told that another name stands for this one: then it must be told, or owed, of that one."""
        if (outcome["operation"], outcome["code"]) == ("rotate", "delivered") and key in self.standing_for:
            self._handed_on.add(self.standing_for[key])

    @property
    def unheard(self) -> set[bytes]:
        return self._handed_on - self._heard


def count_living(states: States, keyring: Keyring) -> Mapping[str, Living]:
    """By provider.

    Raises:
        Unreachable: the cluster went away in between.
    """
    found: dict[str, Living] = defaultdict(Living)
    names = _Names(keyring)
    numbers = range(states.partitions(FILTERING_STATE))
    told = _Told()
    behind: dict[bytes, int] = {}
    for number in numbers:
        subjects = states.read(FILTERING_STATE, number, lambda key: key.startswith(SUBJECT))
        _count_pairs(subjects, names, keyring, found, told=told, behind=behind)
        del subjects
    for number in numbers:
        # Of who was handed over, the word lies where she began; so all are read before any is counted.
        named = states.read(PSEUDONYMISATION_STATE, number, lambda key: key[len(SEQ) :] in behind)
        for key, entry in named.items():
            if key.startswith(SEQ) and abs(int(entry.value)) >= behind[key[len(SEQ) :]]:
                del behind[key[len(SEQ) :]]
    for key in behind:
        found[_provider(key)].unnamed += 1
    for number in numbers:
        # A pseudonym's entry lies by the pseudonym (decisions/0017), not where the person is remembered.
        for key, entry in states.read(LEDGER, number, told.is_of_before).items():
            outcome = orjson.loads(entry.value)
            told.hand_on(key, outcome)
            if not _is_ended(outcome):
                found[_provider(key)].lingering += 1
    for key in told.unheard:
        found[_provider(key)].unheard += 1
    return {provider: found[provider] for provider in sorted(found)}


def _provider(key: bytes) -> str:
    return key.decode().partition("/")[0]


def _count_pairs(  # of whom, by which names, and what is filled
    subjects: Entries, names: _Names, keyring: Keyring, found: Mapping[str, Living], *,
    told: _Told, behind: dict[bytes, int],
) -> None:  # fmt: skip
    """Count the pairs of one partition; gather the ledger's keys of their names of now, and what is to be named."""
    for place, pair in _pairs(subjects):
        provider = place.partition("/")[0]
        living, now = found[provider], keyring.serial_of(provider)
        is_said = pair.serial >= now
        name = names.of(provider, pair, now if is_said or pair.last != "erase" else pair.serial)
        key = f"{place}/{name}".encode()
        if is_said or pair.last != "erase":
            told.current.add(key)
        if is_said and pair.last != "erase":
            told.standing_for |= {f"{place}/{each}".encode(): key for each in names.of_before(provider, pair, now)}
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
