"""How one person stands under one contract, explained: the request that the filter itself would decide. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from services.filtering.case import OutOfScope, Person, Terms, out_of_scope
from services.filtering.detector import Traces
from services.filtering.explanation import Explanation, explain
from services.filtering.likeness import Moment


class Inquiry(NamedTuple):
    """Why the contract does not speak of her, if so; the decision line by line; what was found in values (R16)."""

    scope: OutOfScope | None
    explanation: Explanation
    traces: Mapping[str, Traces]


def inquire(person: Person, term: Terms, moment: Moment, *, delivered: bool) -> Inquiry:
    """Ask what `emission` asks, of one contract."""
    scope = out_of_scope(term, person)
    under = term.without_contract if scope else term.under
    usual, all_holders = person.facts(moment.day)
    facts = usual if term.usual else all_holders
    explanation = explain(under.policy, under.request(facts, moment, delivered=delivered))
    if explanation.verdict.verdict != "release" or not (traces := person.traces(explanation.verdict.fields)):
        return Inquiry(scope, explanation, {})
    found = facts.offering(person.offer_with(traces))
    return Inquiry(scope, explain(under.policy, under.request(found, moment, delivered=delivered)), traces)
