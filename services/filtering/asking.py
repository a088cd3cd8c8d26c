"""One person and all contracts: what is said of each pair, and how the pair then stands. Pure."""

from collections.abc import Container, Mapping
from datetime import date
from typing import Literal

from services.contract.errors import NotAnIdentifier
from services.contract.identifiers import canonical_ine
from services.contract.naming import NameParts, parts_of_person
from services.filtering.case import Person, offer_with
from services.filtering.detector import Traces
from services.filtering.docket import Decided, Docket, Ruling, ruling_of
from services.filtering.freshness import Staleness
from services.filtering.guard import SHORT_CUTS, falls_on_everybody, said_no
from services.filtering.likeness import Moment
from services.filtering.merging import Doubt
from services.filtering.precedents import Facts
from services.filtering.restriction import is_long_ago
from services.filtering.sending import next_seq, released, taken_back
from services.filtering.showing import Showing
from services.filtering.subject import Pair, Subject
from services.filtering.terms import Named, Terms

GUARDED: Literal["deletion-guard"] = "deletion-guard"


class Asked:
    """One person at one moment, and what all contracts share of what is made for her."""

    __slots__ = (
        "_approved", "_docket", "_facts", "_heard", "_homes", "_moment", "_names", "_person", "_rotating", "_scopes",
        "_shared", "_showing", "_stale", "_terms", "sheet",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913  # whom, when, of what, and what is not as usual
        self, person: Person, subject: Subject, moment: Moment, docket: Docket, *,
        approved: Container[str], stale: Staleness | Doubt | None, rotating: bool,
    ) -> None:  # fmt: skip
        self._rotating = rotating
        self._person = person
        self._homes = subject.particulars.identity.homes
        self._approved = approved
        self._stale = stale
        self._moment = moment
        self._terms = docket.terms
        self._docket = docket
        self._facts = usual, all_holders = person.facts(moment.day)
        self._scopes = docket.scopes(person)
        self._heard = docket.measured | docket.heard(subject.consents) if subject.consents else docket.measured
        self._shared = docket.sheet(usual, all_holders, self._scopes, moment.day)
        self.sheet = self._shared.without(self._heard) if self._heard else self._shared
        self._names: dict[str, NameParts] = {}
        self._showing = Showing(person, moment.day)

    def rule(self, place: int, *, delivered: bool) -> Ruling:
        """Ask one contract; keep the answer for all who are like her, unless it heard her or is offered more of her."""
        term, (usual, all_holders) = self._terms[place], self._facts
        facts = usual if term.usual else all_holders
        if term.view is not None and term.view.offers:
            facts = facts.offering(offer_with(self._showing.values(term), {}))
        ruling = ruling_of(term, self._scopes[place], facts, self._moment, delivered=delivered)
        if term.under.has_precedents and place not in self._heard:
            (self._shared.had if delivered else self._shared.fresh)[place] = ruling
        return ruling

    def is_said(self, term: Terms, ruling: Ruling, known: Pair | None) -> bool:
        """Whether the last word of the pair says it already; under which names, only while these change."""
        match ruling.end:
            case "released":
                if known is None:
                    return False
                digest = self._showing.digest(term, ruling.verdict.fields)
                return known.digest == digest + term.mark or (not self._rotating and known.shown == digest)
            case "erased":
                return known is None or known.last == "erase"
            case _:
                return known is None or known.last != "release"

    def decide(self, term: Terms, ruling: Ruling, known: Pair | None, issued: int) -> tuple[Decided, Pair | None]:
        """What goes out for one pair, and the pair as it then stands; null where nothing does for all that."""
        if ruling.end == "released" and (traces := self._showing.look_into(term, ruling.verdict.fields)):
            ruling = self._rule_with(traces, term, ruling, delivered=known is not None)
            if not ruling.may_emit or self.is_said(term, ruling, known):
                return ruling.quiet, None
        if ruling.end == "released":
            return self._release(term, ruling, known, issued)
        if known is None:
            return ruling.quiet, None
        end, reason, seq = ruling.end, ruling.reason, next_seq(issued, known, self._moment)
        if end == "erased" and self._waits(term, ruling):
            # It may wait long: what she is owed meanwhile does not.
            if known.last != "release" or not term.under.owes_restriction(self._facts_for(term), self._moment):
                return Decided(term.pair, "held", GUARDED, None), None
            end, reason = "held", GUARDED
        take_back = known.erased if end == "erased" else known.restricted
        moved = take_back(seq, term.named.key_serial)
        reasons = [f"{each.rule}/{each.code}" for each in ruling.verdict.reasons]
        emission = taken_back(self.home(term.pair), term.pair, moved, term.named, reasons)
        return Decided(term.pair, end, reason, emission), moved

    def _rule_with(self, traces: Mapping[str, Traces], term: Terms, ruling: Ruling, *, delivered: bool) -> Ruling:
        """The same question, her fields under the categories of what was found in them."""
        facts = self._facts_for(term).offering(offer_with(self._showing.values(term), traces))
        return ruling_of(term, ruling.scope, facts, self._moment, delivered=delivered)

    def _waits(self, term: Terms, ruling: Ruling) -> bool:
        """Whether this erasure is everybody's and not owed to this person, and so waits for an operator.

        Whoever falls with her last pupil falls alone: it is the pupils that the guard counts.
        """
        if ruling.scope == "no-linked-pupil" or term.pair in self._approved:
            return False
        if not falls_on_everybody(
            ruling.verdict,
            ended_by_change=term.ended_by_change, covers_nobody=term.covers_nobody, staged=term.policy.staged,
        ):  # fmt: skip
            return False
        in_short = ruling.verdict.reasons[0].code in SHORT_CUTS
        return not in_short or not term.under.owes(self._facts_for(term), self._moment)

    def _facts_for(self, term: Terms) -> Facts:
        return self._facts[0 if term.usual else 1]

    def orphans(
        self, subject: Subject, pairs: dict[str, Pair], bare: Mapping[str, Named], issued: int
    ) -> tuple[list[Decided], int]:
        """End what was released under contracts that are not there any more; the last `seq` issued then."""
        decided = []
        for pair in _orphans(pairs, self._docket):
            if (policy := policy_of(pair, self._docket, bare)) is None:
                continue
            waits = pair not in self._approved and not self._is_owed(subject, pair.partition("/")[0])
            outcome, moved = self._orphan(pair, pairs[pair], policy, issued, waits=waits)
            if moved is not None:
                pairs[pair] = moved
                issued = moved.seq
            decided.append(outcome)
        return decided, issued

    def _is_owed(self, subject: Subject, provider: str) -> bool:
        """Whether the erasure is owed to the person, where no contract is left to ask: by whose word, or by time."""
        if subject.deleted or said_no(subject.consents, provider):
            return True
        gone_since = self._person.request["gone_since"]
        if gone_since is not None and is_long_ago(date.fromisoformat(gone_since), self._moment.day):
            return True
        return any(one["provider"] == provider and one["status"] == "upheld" for one in self._person.objections)

    def _orphan(
        self, pair: str, known: Pair, policy: Named, issued: int, *, waits: bool
    ) -> tuple[Decided, Pair | None]:
        """Erase what was released under a contract that its provider's policy no longer names (GDPR 28(3)(g)).

        Article 18 keeps it, restricted, as it does where a contract ends (R22); else it may wait for an operator.
        """
        request, seq = self._person.request, next_seq(issued, known, self._moment)
        reason, moved = "R1/no-contract", known.erased(seq, policy.key_serial)
        if "article-18" in request["restrictions"] and not request["deleted"]:
            reason, moved = "R22/article-18", known.restricted(seq, policy.key_serial)
            if known.last == "restrict":
                return Decided(pair, "held", reason, None), None
        elif waits:
            return Decided(pair, "held", GUARDED, None), None
        emission = taken_back(self.home(pair), pair, moved, policy, [reason])
        return Decided(pair, "erased" if moved.last == "erase" else "held", reason, emission), moved

    def _release(self, term: Terms, ruling: Ruling, known: Pair | None, issued: int) -> tuple[Decided, Pair | None]:
        try:
            named_by = known.named_by if known else self._name(term.policy.perimeter.id)
        except NotAnIdentifier as error:
            return Decided(term.pair, "held", error.code, None), None
        if self._stale is not None:
            return Decided(term.pair, "held", self._stale, None), None
        # As with the identifier, a pair keeps the first: under another name, what was sent could not be erased.
        seq, names = next_seq(issued, known, self._moment), ruling.verdict.fields
        family = known.purpose_family if known else term.family
        moved = Pair(seq, "release", self._showing.digest(term, names) + term.mark, named_by, family)
        emission = released(
            self.home(term.pair), self._person, term.pair, moved, term.named, self._showing.json(term, names)
        )
        return Decided(term.pair, "released", ruling.reason, emission, ruling.verdict.dropped), moved

    def home(self, pair: str) -> str:
        """The key under which the later stages know the pair."""
        return self._homes.get(pair, self._person.key) if self._homes else self._person.key

    def _name(self, perimeter: str) -> NameParts:
        if perimeter not in self._names:
            person = self._person
            # Whoever is known under an INE is named by it, whatever one image of several shows.
            ine = (canonical_ine(person.key) or person.ine) if person.kind == "pupil" else None
            self._names[perimeter] = parts_of_person(perimeter, person.source, person.id, ine)
        return self._names[perimeter]


def _orphans(pairs: Mapping[str, Pair], docket: Docket) -> list[str]:
    return [name for name, known in pairs.items() if known.last != "erase" and name not in docket]


def policy_of(pair: str, terms: Mapping[str, Terms], bare: Mapping[str, Named]) -> Named | None:
    """The policy of a pair's provider, which does not name its contract any more; null where it is not here."""
    provider = pair.partition("/")[0]
    return bare.get(provider) or next((term.named for term in terms.values() if term.policy.provider == provider), None)
