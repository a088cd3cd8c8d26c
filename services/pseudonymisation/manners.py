"""The terms of every manner that was met: prepared once, with the keys that it needs, and shared by all alike. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from services.pseudonymisation.emission import Manner, manner_of, read_strictly, recognise
from services.pseudonymisation.fields import Renaming
from services.pseudonymisation.keyring import KeySource
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.pseudonymisation.terms import Terms

MANNERS: Final = 4096
"""How many are known at a time: a few for each provider and source."""


class Manners:
    """Reads emissions, and gives each the terms under which it is renamed."""

    def __init__(self, keys: KeySource) -> None:
        self.perimeter = keys.perimeter
        self._keys = keys
        self._stamp = keys.stamp()
        self._names: dict[tuple[str, str, int], tuple[Pseudonymiser, ...]] = {}
        """Those of now, then those of before."""
        self._renamings: dict[tuple[str, str, str, int], Renaming] = {}
        self._terms: dict[Manner, Terms] = {}

    def refresh(self) -> None:
        """Forget every key if the keyring may be another: what was retired is held no longer."""
        if (stamp := self._keys.stamp()) != self._stamp:
            self._stamp = stamp
            self._names.clear()
            self._renamings.clear()
            self._terms.clear()

    def read(self, raw: bytes, key: bytes | None) -> tuple[Mapping[str, Any], Terms]:
        """An emission and its terms; at little cost where one like it was read before.

        Raises:
            Unreadable: it is no emission of the filter.
            NoKey: the keyring has not come as far as its serial, or names nobody by it any more.
        """
        return recognise(raw, key, self._terms) or self.learn(raw)

    def learn(self, raw: bytes) -> tuple[Mapping[str, Any], Terms]:
        """Read strictly, and know this manner from now on; raises as `read` does."""
        emission = read_strictly(raw)
        return emission, self._terms_of(emission)

    def _terms_of(self, emission: Mapping[str, Any]) -> Terms:
        manner = manner_of(emission)
        if manner not in self._terms:
            if len(self._terms) >= MANNERS:
                self._terms.clear()
                self._renamings.clear()
            names, *former = self._names_at(emission["provider"], emission["purpose_family"], emission["key_serial"])
            self._terms[manner] = Terms(emission, names, self._renaming_of(emission, names), tuple(former))
        return self._terms[manner]

    def _names_at(self, provider: str, family: str, serial: int) -> tuple[Pseudonymiser, ...]:
        place = (provider, family, serial)
        if place not in self._names:
            keys = self._keys.keys_of(provider, family, serial)
            self._names[place] = tuple([Pseudonymiser.under(key) for key in (keys.current, *keys.former)])
        return self._names[place]

    def _renaming_of(self, emission: Mapping[str, Any], names: Pseudonymiser) -> Renaming:
        source = emission.get("source", "")  # a withdrawal has none, and no fields either
        place = (emission["provider"], emission["purpose_family"], source, emission["key_serial"])
        if place not in self._renamings:
            self._renamings[place] = Renaming(source, self.perimeter, names.name)
        return self._renamings[place]
