"""Counts the rosters of the policies in force over all that the filter remembers, by the filter's own functions.

In memory there is a short digest of each pupil's key, and where she counts; of what is counted, numbers alone leave.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ops.policy_diff import DIGEST_OCTETS
from ops.policy_files import Policies
from services.contract.census import LEVELS, levels_of, names_groups
from services.contract.policies import policy_digest
from services.filtering.case import Person, offer_with, out_of_scope, person_of
from services.filtering.detector import traces_of
from services.filtering.docket import ruling_of
from services.filtering.gazetteer import Commune, Gazetteer
from services.filtering.likeness import Moment, moment_of
from services.filtering.roster import Counts
from services.filtering.subject import SUBJECT, Subject, load
from services.filtering.terms import Terms, terms_of


class Mark(NamedTuple):
    """How one pupil counts under one contract: where she lives, or why that is not known, and in which groups."""

    pair: str
    place: str | None
    hidden: str | None
    groups: tuple[tuple[str, str], ...]


Marks = tuple[Mark, ...]
_HER_GROUPS = frozenset({"divisions", "groups"})


class RosterCounts:
    """Counts over the filter's changelog, in which a later entry of a key replaces an earlier one."""

    def __init__(self, policies: Policies, gazetteer: Callable[[], Gazetteer], now: datetime) -> None:
        self._terms: list[Terms] = [
            term
            for name in sorted(policies)
            for term in terms_of(policies[name], policy_digest(policies[name]))
            if levels_of(term.policy, term.contract) or names_groups(term.policy, term.contract)
        ]
        self._gazetteer = gazetteer
        self._moment = moment_of(now)
        self._known: dict[bytes, Marks] = {}
        self.counts: dict[str, Counts] = {term.pair: Counts(Counter(), Counter()) for term in self._terms}
        self.hidden: dict[str, Counter[str]] = {term.pair: Counter() for term in self._terms}
        """Contract → why an address was not counted → how many."""

    def take(self, key: bytes, value: bytes | None) -> None:
        """One entry of the partition at hand; null takes the key's entry away."""
        if not key.startswith(SUBJECT):
            return
        digest = hashlib.blake2b(key, digest_size=DIGEST_OCTETS).digest()
        self._count(self._known.pop(digest, ()), -1)
        if value is not None and (marks := self._marks(key[len(SUBJECT) :].decode(), load(value))):
            self._known[digest] = marks
            self._count(marks, 1)

    def end_partition(self) -> None:
        """No key of it comes again in another one: forget them."""
        self._known.clear()

    def _count(self, marks: Marks, times: int) -> None:
        for mark in marks:
            counts = self.counts[mark.pair]
            if mark.place is not None:
                counts.places[mark.place] += times
            if mark.hidden is not None:
                self.hidden[mark.pair][mark.hidden] += times
            for group in mark.groups:
                counts.groups[group] += times

    def _marks(self, key: str, subject: Subject) -> Marks:
        person = person_of(key, subject, self._moment)
        if person is None or person.kind != "pupil":
            return ()
        found = (self._mark(person, term, delivered=term.pair in subject.pairs) for term in self._terms)
        return tuple(mark for mark in found if mark is not None)

    def _mark(self, person: Person, term: Terms, *, delivered: bool) -> Mark | None:
        """Who counts is who would be released if her address could be told at every level; null for anybody else.

        So who is held for want of a census counts for it, and whose address a restriction drops does not.
        """
        fields = released_fields(person, term, self._moment, delivered=delivered)
        if not fields:
            return None
        place = hidden = None
        if fields & frozenset(LEVELS):
            values = person.values
            found = self._gazetteer().resolve(values.get("postcode"), values.get("town"), values.get("country"))
            place, hidden = (found.code, None) if isinstance(found, Commune) else (None, found)
        groups = {
            (f"{person.source}/{entry['school']}", entry["code"])
            for name in _HER_GROUPS & fields
            for entry in person.values[name]
        }
        return Mark(term.pair, place, hidden, tuple(sorted(groups)))


def released_fields(person: Person, term: Terms, moment: Moment, *, delivered: bool) -> frozenset[str]:
    """The fields of hers that this contract may see, every level of an address among those on offer."""
    every_level: dict[str, None] = dict.fromkeys(levels_of(term.policy, term.contract))
    values: Mapping[str, Any] = {**person.shown(term, moment.day), **every_level}
    usual, all_holders = person.facts(moment.day)
    facts = (usual if term.usual else all_holders).offering(offer_with(values, {}))
    ruling = ruling_of(term, out_of_scope(term, person), facts, moment, delivered=delivered)
    if ruling.end == "released" and (traces := traces_of(ruling.verdict.fields, values)):
        ruling = ruling_of(term, ruling.scope, facts.offering(offer_with(values, traces)), moment, delivered=delivered)
    return frozenset(ruling.verdict.fields) if ruling.end == "released" else frozenset()
