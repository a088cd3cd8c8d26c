"""Who is known under which names, counted over every stage: what a rotation has still to do, and what a root holds up.

Read from what the filter and the pseudonymiser remember and from the ledger; nothing is kept, and memory is constant.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Protocol

import orjson

from ops.explaining.states import Entries, Wanted
from ops.publishing.names_told import NamesTold
from services.contract.errors import NoKey
from services.contract.topology import FILTERING_STATE, LEDGER, PSEUDONYMISATION_STATE
from services.filtering.subject import SUBJECT, Pair, load
from services.pseudonymisation.emission import SEQ
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser


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
        return names[0].pseudonym(*pair.named_by) if names else None

    def of_before(self, provider: str, pair: Pair, serial: int) -> list[str]:
        """The names that the provider may still know beside it; none, but while names change."""
        return [each.pseudonym(*pair.named_by) for each in self._names_at(provider, pair.purpose_family, serial)[1:]]

    def _names_at(self, provider: str, family: str, serial: int) -> tuple[Pseudonymiser, ...]:
        place = provider, family, serial
        if place not in self._prepared:
            try:
                keys = self._keyring.keys_of(*place)
                self._prepared[place] = tuple(Pseudonymiser.under(key) for key in (keys.current, *keys.former))
            except NoKey:
                self._prepared[place] = ()
        return self._prepared[place]


def count_living(states: States, keyring: Keyring) -> Mapping[str, Living]:
    """By provider.

    Raises:
        Unreachable: the cluster went away in between.
    """
    found: dict[str, Living] = defaultdict(Living)
    names = _Names(keyring)
    numbers = range(states.partitions(FILTERING_STATE))
    told = NamesTold()
    for number in numbers:
        subjects = states.read(FILTERING_STATE, number, lambda key: key.startswith(SUBJECT))
        _count_pairs(subjects, names, keyring, found, told)
        del subjects
    for number in numbers:
        # Of who was handed over, the word lies where she began; so all are read before any is counted.
        for key, entry in states.read(PSEUDONYMISATION_STATE, number, partial(_is_awaited, told)).items():
            told.named(key[len(SEQ) :], abs(int(entry.value)))
    for key in told.behind():
        found[_provider(key)].unnamed += 1
    for number in numbers:
        # A pseudonym's entry lies by the pseudonym (decisions/0017), not where the person is remembered.
        for key, entry in states.read(LEDGER, number, told.is_of_before).items():
            outcome = orjson.loads(entry.value)
            if (outcome["operation"], outcome["code"]) == ("rotate", "delivered"):
                told.hand_on(key)
            if not _is_ended(outcome):
                found[_provider(key)].lingering += 1
    for key in told.unheard():
        found[_provider(key)].unheard += 1
    return {provider: found[provider] for provider in sorted(found)}


def _is_awaited(told: NamesTold, key: bytes) -> bool:
    return key.startswith(SEQ) and told.is_behind(key[len(SEQ) :])


def _provider(key: bytes) -> str:
    return key.decode().partition("/")[0]


def _count_pairs(
    subjects: Entries, names: _Names, keyring: Keyring, found: Mapping[str, Living], told: NamesTold
) -> None:
    """Count the pairs of one partition; gather the ledger's keys of their names of now, and what is to be named."""
    for place, pair in _pairs(subjects):
        provider = place.partition("/")[0]
        living, now = found[provider], keyring.serial_of(provider)
        is_said, is_live = pair.serial >= now, pair.last != "erase"
        name = names.of(provider, pair, now if is_said or is_live else pair.serial)
        key = f"{place}/{name}".encode()
        is_named = name is not None and (is_said or not is_live)
        told.add(key, is_current=is_said or is_live, behind=pair.seq if is_named else 0)
        if is_said and is_live:
            told.stand_for(key, (f"{place}/{each}".encode() for each in names.of_before(provider, pair, now)))
        living.live += is_live
        living.unsaid += is_live and not is_said


def _pairs(subjects: Entries) -> Iterator[tuple[str, Pair]]:
    for entry in subjects.values():
        yield from load(entry.value).pairs.items()


def _is_ended(outcome: Mapping[str, Any]) -> bool:
    """Whether nobody is known under that name any more, by the provider's own acknowledgement."""
    if outcome["outcome"] != "delivered":
        return False
    return outcome["operation"] in {"delete", "rotate"} or outcome["code"] == "never-attempted"
