"""How one person stands under one contract, explained: the request that the filter itself would decide. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from services.contract.census import levels_of
from services.filtering.case import OutOfScope, Person, offer_with, out_of_scope
from services.filtering.detector import Traces, traces_of
from services.filtering.explanation import Explanation, explain
from services.filtering.generalisation import Cell, Hidden
from services.filtering.likeness import Moment
from services.filtering.terms import Terms


class Inquiry(NamedTuple):
    """Why the contract does not speak of her, if so; the decision line by line; what was found in values (R16)."""

    scope: OutOfScope | None
    explanation: Explanation
    traces: Mapping[str, Traces]
    place: Hidden | None
    """Why no place of hers is told to a contract that names one; null where one is, or none is asked for."""


def inquire(person: Person, term: Terms, moment: Moment, *, delivered: bool) -> Inquiry:
    """Ask what `emission` asks, of one contract."""
    scope = out_of_scope(term, person)
    under = term.without_contract if scope else term.under
    usual, all_holders = person.facts(moment.day)
    facts, values = usual if term.usual else all_holders, person.shown(term, moment.day)
    if term.view is not None and term.view.offers:
        facts = facts.offering(offer_with(values, {}))
    explanation = explain(under.policy, under.request(facts, moment, delivered=delivered))
    place = _hidden(person, term)
    if explanation.verdict.verdict != "release" or not (traces := traces_of(explanation.verdict.fields, values)):
        return Inquiry(scope, explanation, {}, place)
    found = facts.offering(offer_with(values, traces))
    return Inquiry(scope, explain(under.policy, under.request(found, moment, delivered=delivered)), traces, place)


def _hidden(person: Person, term: Terms) -> Hidden | None:
    if not levels_of(term.policy, term.contract):
        return None
    if term.view is None:
        return "no-census"
    cell = term.view.cell(person.kind, person.values)
    return None if isinstance(cell, Cell) else cell
