"""One person's fields as each contract may see them, and what is made of them, each once. Pure."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from services.filtering.case import Person
from services.filtering.detector import Traces, traces_of
from services.filtering.terms import Terms


class Showing:
    """What is shown of a person on a day, by the contract's view where it has one."""

    __slots__ = ("_day", "_digests", "_looked_into", "_person", "_shown", "_written")

    def __init__(self, person: Person, day: date) -> None:
        self._person = person
        self._day = day
        self._shown: dict[str, Mapping[str, Any]] = {}
        self._looked_into: dict[tuple[str, ...], Mapping[str, Traces]] = {}
        self._digests: dict[tuple[str, ...], str] = {}
        self._written: dict[tuple[str, ...], bytes] = {}

    def values(self, term: Terms) -> Mapping[str, Any]:
        """Her fields as this contract may see them."""
        if term.view is None:
            return self._person.values
        shown = self._shown.get(term.pair)
        if shown is None:
            shown = self._shown[term.pair] = self._person.shown(term, self._day)
        return shown

    def look_into(self, term: Terms, fields: tuple[str, ...]) -> Mapping[str, Traces]:
        """What would newly leave, and only that: R16 must know what is in it."""
        key = _key(term, fields)
        if key not in self._looked_into:
            self._looked_into[key] = traces_of(fields, self.values(term))
        return self._looked_into[key]

    def digest(self, term: Terms, names: tuple[str, ...]) -> str:
        """What a provider would see, named by 32 hexadecimal digits, so that nothing is sent twice."""
        key = _key(term, names)
        digest = self._digests.get(key)
        if digest is None:
            values = self.values(term)
            fields = {name: values[name] for name in names}
            seen = orjson.dumps([self._person.kind, self._person.source, fields], option=orjson.OPT_SORT_KEYS)
            digest = self._digests[key] = hashlib.sha256(seen).hexdigest()[:32]
        return digest

    def json(self, term: Terms, names: tuple[str, ...]) -> bytes:
        """The fields, as they travel."""
        key = _key(term, names)
        written = self._written.get(key)
        if written is None:
            values = self.values(term)
            written = self._written[key] = orjson.dumps({name: values[name] for name in names})
        return written


def _key(term: Terms, names: tuple[str, ...]) -> tuple[str, ...]:
    """What is made of these fields is the same for all contracts but those with a view of their own."""
    return names if term.view is None else (term.pair, *names)
