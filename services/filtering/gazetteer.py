"""Which commune a postcode and a town name, however they are written: INSEE's codes, La Poste's postcodes. Pure."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal, NamedTuple
from unicodedata import normalize

Unresolved = Literal["no-address", "address-abroad", "address-unknown"]
"""Why an address leads to no commune: there is none, it is not in France, or it names no commune or several."""

REMEMBERED: Final = 65_536
"""Addresses whose answer is kept: some megabytes."""


class Commune(NamedTuple):
    """A commune, or a municipal arrondissement, and where it lies; INSEE codes."""

    code: str
    commune: str
    """Its own code; of an arrondissement that of its commune."""
    departement: str
    region: str
    population: int
    """Of a commune that has arrondissements none: it is counted in them."""


class Entry(NamedTuple):
    """One line of the reference table."""

    name: str
    postcodes: tuple[str, ...]
    commune: Commune


_LIGATURES: Final = str.maketrans({"Œ": "OE", "Æ": "AE"})
_CEDEX: Final = re.compile(r"\bCEDEX\b.*")
_ON: Final = re.compile(r"\bS/(?:S/)?")
_NOT_A_WORD: Final = re.compile(r"[^A-Z0-9]+")
_SHORT: Final[Mapping[str, str]] = {"ST": "SAINT", "STE": "SAINTE", "STS": "SAINTS", "STES": "SAINTES"}
_SMALL: Final = frozenset(
    {"A", "AU", "AUX", "D", "DE", "DES", "DU", "EN", "ET", "L", "LA", "LE", "LES", "LEZ", "SOUS", "SUR", "PRES"}
)
_WITH_ARRONDISSEMENTS: Final = frozenset({"PARIS", "LYON", "MARSEILLE"})
_POSTCODE: Final = re.compile(r"[0-9]{5}")
_OVERSEAS: Final = ("97", "98")
_FRANCE: Final = frozenset({"", "F", "FR", "FRA", "FRANCE", "FRANCE METROPOLITAINE", "100", "99100"})


def plain_name(town: str) -> str:
    """In capitals, without accents, CEDEX, hyphens and apostrophes; ST is SAINT, S/ is SUR."""
    text = "".join(letter for letter in normalize("NFKD", town.upper().translate(_LIGATURES)) if letter < "\u0300")
    words = _NOT_A_WORD.sub(" ", _ON.sub("SUR ", _CEDEX.sub("", text))).split()
    words = [_SHORT.get(word, word) for word in words]
    if words and words[0] in _WITH_ARRONDISSEMENTS and (len(words) == 1 or words[1][0].isdigit()):
        return words[0]
    return " ".join(words)


def bare_name(plain: str) -> str:
    """The same without articles and prepositions, which are left out or moved to the end."""
    return " ".join(sorted(word for word in plain.split() if word not in _SMALL))


def area_of(postcode: str) -> str:
    """The département, nearly: two digits, three overseas."""
    return postcode[:3] if postcode.startswith(_OVERSEAS) else postcode[:2]


class Gazetteer:
    """The reference table, ready to be asked."""

    def __init__(
        self, entries: Iterable[Entry], former: Iterable[tuple[str, str]] = (), overseas: Iterable[str] = ()
    ) -> None:
        """`former` gives names of merged communes with the code of today's; `overseas` are written as countries."""
        entries = tuple(entries)
        self.communes: Mapping[str, Commune] = {entry.commune.code: entry.commune for entry in entries}
        postcodes = {entry.commune.code: entry.postcodes for entry in entries}
        self._by_name: dict[str, str] = {}
        self._by_postcode: dict[str, str] = {}
        self._named: set[str] = set()
        self._countries = _FRANCE | {plain_name(name) for name in overseas}
        for entry in entries:
            self._enter(entry.name, entry.postcodes, entry.commune.code)
            for postcode in entry.postcodes:
                _add(self._by_postcode, postcode, entry.commune.code)
        for name, code in former:
            self._enter(name, postcodes.get(code, ()), code)
        self._known = lru_cache(REMEMBERED)(self._resolve)

    def _enter(self, name: str, postcodes: Iterable[str], code: str) -> None:
        """Under all the ways to write the name, near and far: with its postcodes, and in its area."""
        plain = plain_name(name)
        self._named.add(plain)
        for written in {plain, plain_name(re.sub(r"\(.*\)", "", name))}:
            for near in {*postcodes, *map(area_of, postcodes)}:
                _add(self._by_name, near + written, code)
                _add(self._by_name, f"{near}~{bare_name(written)}", code)

    def resolve(self, postcode: str | None, town: str | None, country: str | None) -> Commune | Unresolved:
        """The commune, or the arrondissement, of an address; else why not."""
        return self._known(postcode, town, country)

    def _resolve(self, postcode: str | None, town: str | None, country: str | None) -> Commune | Unresolved:
        code, name = (postcode or "").replace(" ", ""), plain_name(town or "")
        if country and plain_name(country) not in self._countries:
            return "address-abroad"
        if not code and not name:
            return "no-address"
        if not _POSTCODE.fullmatch(code):
            return "address-unknown"
        found = self._find(code, name)
        return self.communes[found] if found else "address-unknown"

    def _find(self, postcode: str, name: str) -> str | None:
        """The one commune of this name with this postcode; else of this area, as where a CEDEX has its own."""
        here = self._by_postcode.get(postcode, "")
        if not name:
            return self._only(here)
        for place in (postcode, area_of(postcode)):
            for written in (name, "~" + bare_name(name)):
                if found := self._by_name.get(place + written):
                    return self._only(found)
        # A hamlet: no commune of that name anywhere, and only one has the postcode.
        return None if name in self._named else self._only(here)

    def _only(self, joined: str) -> str | None:
        """The one of them; of an arrondissement and its commune the former, else what all are part of."""
        codes = set(joined.split())
        if len(codes) > 1:
            parts = {code for code in codes if self.communes[code].commune != code}
            wholes = {self.communes[code].commune for code in codes}
            codes = parts if len(parts) == 1 and len(wholes) == 1 else wholes
        return next(iter(codes)) if len(codes) == 1 else None


def _add(index: dict[str, str], key: str, code: str) -> None:
    """Codes as one text: most keys have a single one, and then share it."""
    known = index.get(key)
    if known is None:
        index[key] = code
    elif code not in known.split():
        index[key] = f"{known} {code}"
