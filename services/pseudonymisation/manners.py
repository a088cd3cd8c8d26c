"""The terms of every manner that was met under one keyring: prepared once, and shared by all that are alike. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from services.pseudonymisation.emission import Manner, manner_of, read_strictly, recognise
from services.pseudonymisation.fields import Renaming
from services.pseudonymisation.keyring import Keyring
from services.pseudonymisation.pseudonym import Pseudonymiser
from services.pseudonymisation.terms import Terms

MANNERS: Final = 4096
"""How many are known at a time: a few for each provider and source."""


class Manners:
    """Reads emissions, and gives each the terms under which it is renamed."""

    def __init__(self, keyring: Keyring) -> None:
        self.perimeter = keyring.perimeter
        self._keyring = keyring
        self._names: dict[tuple[str, str], Pseudonymiser] = {}
        self._renamings: dict[tuple[str, str, str], Renaming] = {}
        self._terms: dict[Manner, Terms] = {}

    def read(self, raw: bytes, key: bytes | None) -> tuple[Mapping[str, Any], Terms]:
        """An emission and its terms; at little cost where one like it was read before.

        Raises:
            Unreadable: it is neither a release nor a withdrawal.
            NoKey: the keyring names nobody at this provider.
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
            names = self._names_at(emission["provider"], emission["purpose_family"])
            self._terms[manner] = Terms(emission, names, self._renaming_of(emission, names))
        return self._terms[manner]

    def _names_at(self, provider: str, family: str) -> Pseudonymiser:
        if (provider, family) not in self._names:
            key = self._keyring.provider_key(self.perimeter, provider, family)
            self._names[provider, family] = Pseudonymiser.under(key)
        return self._names[provider, family]

    def _renaming_of(self, emission: Mapping[str, Any], names: Pseudonymiser) -> Renaming:
        source = emission.get("source", "")  # a withdrawal has none, and no fields either
        place = (emission["provider"], emission["purpose_family"], source)
        if place not in self._renamings:
            self._renamings[place] = Renaming(source, self.perimeter, names.name)
        return self._renamings[place]
