"""All contracts at once: whom no rule can tell apart are ruled on once a day for each of them, on one sheet.

No rule is repeated here: what a sheet holds, the precedents of each contract have said.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Final, Literal, NamedTuple

from services.contract.audit import End
from services.contract.reasons import Rule
from services.filtering.case import OutOfScope, Person, out_of_scope
from services.filtering.decision import Outcome, Verdict
from services.filtering.likeness import Moment, Traits
from services.filtering.precedents import Facts, Topic
from services.filtering.sending import Emission
from services.filtering.terms import Terms

ENDS: Final[Mapping[Outcome, End]] = MappingProxyType(
    {"release": "released", "withhold": "withheld", "hold": "held", "erase": "erased"}
)
UNCHANGED: Literal["unchanged"] = "unchanged"
MAX_SHEETS = 2048
"""Some megabytes at most; beyond it, all are forgotten."""
MAX_SCHOOLS = 16_384

_Scopes = tuple[OutOfScope | None, ...]
_Key = tuple[Traits, int, _Scopes]


_NOTHING: Final[Mapping[str, Rule]] = MappingProxyType({})


class Decided:
    """How one input ended for one pair, and what goes out: at most one emission."""

    def __init__(
        self, pair: str, end: End, reason: str, emission: Emission | None, dropped: Mapping[str, Rule] = _NOTHING
    ) -> None:
        self.pair, self.end, self.reason, self.emission = pair, end, reason, emission
        self.dropped = dropped
        """Of what goes out, or would have: every field that stays inside, and the lowest rule that keeps it."""

    def sending(self, emission: Emission) -> "Decided":
        """The same end, with something that goes out."""
        return Decided(self.pair, self.end, self.reason, emission, self.dropped)


class Ruling(NamedTuple):
    """A verdict under one contract, and what is said of it: the same for all who are alike."""

    verdict: Verdict
    scope: OutOfScope | None
    """Why the contract does not speak of them, if so."""
    may_emit: bool
    end: End
    reason: str
    quiet: Decided
    """The end of an input after which nothing goes out."""


Rulings = list[Ruling | None]


class Sheet:
    """Today's rulings on all who are alike, contract by contract; null where nobody has asked yet."""

    __slots__ = ("fresh", "had", "silent")

    def __init__(self, fresh: Rulings, had: Rulings) -> None:
        self.fresh = fresh
        """On those whom the provider was never sent."""
        self.had = had
        self.silent: tuple[Decided, ...] | None = None
        """The ends for somebody whom nobody was ever sent and nobody may be."""

    def without(self, places: Iterable[int]) -> "Sheet":
        """A copy without the rulings of some contracts."""
        copies = Sheet(self.fresh.copy(), self.had.copy())
        for place in places:
            copies.fresh[place] = copies.had[place] = None
        return copies

    def settle(self) -> None:
        """Note that these may be sent to nobody, if that is known of every contract."""
        rulings = [ruling for ruling in self.fresh if ruling is not None]
        if len(rulings) == len(self.fresh) and not any(ruling.may_emit for ruling in rulings):
            self.silent = tuple([ruling.quiet for ruling in rulings])


class Docket(dict[str, Terms]):
    """Every contract in force, by pair, and today's sheets."""

    __slots__ = ("_day", "_places", "_scopes", "_sheets", "measured", "terms")

    def __init__(self, terms: Mapping[str, Terms]) -> None:
        super().__init__(terms)
        self.terms = tuple(terms.values())
        self.measured = frozenset(place for place, term in enumerate(self.terms) if term.view and term.view.offers)
        """The places of the contracts that are offered fields of their own: no sheet is shared there."""
        self._day: date | None = None
        self._sheets: dict[_Key, Sheet] = {}
        self._scopes: dict[tuple[str, str | frozenset[str] | None], _Scopes] = {}
        self._places: dict[Topic, list[int]] = defaultdict(list)
        for place, term in enumerate(self.terms):
            if term.under.topic is not None:
                self._places[term.under.topic].append(place)

    def scopes(self, person: Person) -> _Scopes:
        """Contract by contract why it does not speak of her, null where it does."""
        where = person.kind, person.linked if person.kind == "guardian" else person.school
        known = self._scopes.get(where)
        if known is None:
            if len(self._scopes) >= MAX_SCHOOLS:
                self._scopes.clear()
            known = self._scopes[where] = tuple([out_of_scope(term, person) for term in self.terms])
        return known

    def heard(self, consents: Iterable[Mapping[str, Any]]) -> frozenset[int]:
        """The places of the contracts that rest on consent and are spoken of here."""
        spoken = {(word["provider"], word["purpose"]) for word in consents}
        return frozenset(place for topic in spoken if topic in self._places for place in self._places[topic])

    def sheet(self, usual: Facts, all_holders: Facts, scopes: _Scopes, day: date) -> Sheet:
        """What was ruled for all who are like her, to be read and filled in; an empty one where she is like nobody."""
        if day != self._day:
            self._day, self._sheets = day, {}
        if usual.traits is None or usual.words is None or all_holders.words is None or usual.objections:
            return self._empty()
        key = usual.traits, len(usual.guardians), scopes
        sheet = self._sheets.get(key)
        if sheet is None:
            if len(self._sheets) >= MAX_SHEETS:
                self._sheets.clear()
            sheet = self._sheets[key] = self._empty()
        return sheet

    def _empty(self) -> Sheet:
        return Sheet([None] * len(self), [None] * len(self))


def ruling_of(term: Terms, scope: OutOfScope | None, facts: Facts, moment: Moment, *, delivered: bool) -> Ruling:
    """Ask one contract about one person."""
    under = term.without_contract if scope else term.under
    verdict = under.decide(facts, moment, delivered=delivered)
    first, end = verdict.reasons[0], ENDS[verdict.verdict]
    # Where the contract does not speak of this person at all, that is why.
    code = scope if scope and first.code == "no-contract" else first.code
    reason = f"{first.rule}/{code}"
    said = verdict.verdict in {"release", "erase"}
    # What may not be released and need not be erased stays there: it must not be used where she is owed that.
    stays = delivered and verdict.verdict == "withhold" and under.owes_restriction(facts, moment)
    quiet = Decided(term.pair, end, UNCHANGED, None) if said else Decided(term.pair, end, reason, None, verdict.dropped)
    return Ruling(verdict, scope, said or verdict.restrict or stays, end, reason, quiet)
