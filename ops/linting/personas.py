"""People for whom all is in order, put to the rules themselves: what is still in the way is in the way of everybody.

No rule is repeated here; each is asked, today and on the days to come.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from services.contract.policies import PARIS, Contract, Kind, ProviderPolicy, policy_digest
from services.contract.reasons import ReasonCode, Rule
from services.filtering.age_gate import GATES
from services.filtering.case import FIELD_CATEGORY
from services.filtering.explanation import Explanation, explain
from services.filtering.request import GUARDIAN, SUBJECT
from services.filtering.terms import terms_of
from services.ingress.formats.aaf.table import TABLES

ADULT_YEARS = 40
WITHOUT_CENSUS = frozenset({"commune", "departement", "region"})
"""Who has them, a census says (rules.md, Address)."""

_CATEGORIES: Mapping[Kind, str] = {"pupil": "pupil", "guardian": "guardian", "teacher": "staff", "staff": "staff"}
_MANY: Mapping[Kind, str] = {"pupil": "pupils", "guardian": "guardians", "teacher": "teachers", "staff": "staff"}

Obstacle = tuple[Rule, ReasonCode]


class Persona(NamedTuple):
    """Somebody of a kind and an age, and what such people are called."""

    name: str
    kind: Kind
    years: int


def _fields_of(category: str) -> frozenset[str]:
    rows = [row for table in TABLES.values() if table.category == category for row in table.rows.values() if row]
    said = {row.field for row in rows if row.field in FIELD_CATEGORY}
    derived = {"birth_year", *GATES} if "birth_date" in said else set()
    return frozenset(said | derived | {"email_relay"})


FIELDS_OF: Mapping[Kind, frozenset[str]] = {kind: _fields_of(category) for kind, category in _CATEGORIES.items()}
"""What an AAF export gives of a kind of person, and what is derived from it."""


def personas(policy: ProviderPolicy, contract: Contract) -> Iterator[Persona]:
    """One a kind of the contract; pupils by who decides at their age."""
    limit = policy.perimeter.consent_age
    for kind in contract.kinds:
        if kind == "pupil":
            yield Persona(f"pupils under {limit}", kind, max(limit - 1, 0))
            yield Persona(f"pupils from {limit} to 17", kind, max(limit, 17))
            yield Persona("pupils of age", kind, 18)
        else:
            yield Persona(_MANY[kind], kind, ADULT_YEARS)


def explained(policy: ProviderPolicy, contract: Contract, day: date) -> dict[Persona, Explanation]:
    """What the rules say of each persona at noon."""
    alone = policy.model_copy(update={"contracts": (contract,)})
    (term,) = terms_of(alone, policy_digest(alone))
    return {
        persona: explain(term.under.policy, _request(policy, contract, persona, day))
        for persona in personas(policy, contract)
    }


def obstacles(explanations: Mapping[Persona, Explanation]) -> dict[Obstacle, list[str]]:
    """What is in the way, and of whom."""
    found: dict[Obstacle, list[str]] = {}
    for persona, explanation in explanations.items():
        for line in explanation.lines:
            for each in line.found:
                found.setdefault((line.rule, each.code), []).append(persona.name)
    return found


def is_of_places(obstacle: Obstacle) -> bool:
    return obstacle[0] in {"R18", "R19", "R20"} or obstacle[1] == "secnumcloud-contradiction"


def obstacles_of_places(policy: ProviderPolicy, contract: Contract, day: date) -> Iterator[tuple[int, Obstacle]]:
    """The same of each place as if it were the only one: place by its number, and what is in its way."""
    for number, place in enumerate(policy.places):
        there = explained(policy.model_copy(update={"places": (place,)}), contract, day)
        for obstacle in obstacles(there):
            if is_of_places(obstacle):
                yield number, obstacle


def _request(policy: ProviderPolicy, contract: Contract, persona: Persona, day: date) -> dict[str, Any]:
    """The person's part of a request: everybody has agreed, on the notice of the contract, a day before."""
    noon = datetime.combine(day, time(12), PARIS)
    signatory = contract.legal_basis.signatory or ""
    guardian = signatory.removeprefix(GUARDIAN) if signatory.startswith(GUARDIAN) else "g1"
    parties = (SUBJECT, GUARDIAN + guardian)
    return {
        "now": noon.isoformat(),
        "subject": {
            "kind": persona.kind, "birth_date": date(day.year - persona.years, 1, 1).isoformat(), "emancipated": False,
            "guardians": [guardian], "restrictions": [], "gone_since": None, "deleted": False, "delivered": False,
        },
        "fields": [
            {"name": name, "category": FIELD_CATEGORY[name]}
            for name in contract.fields
            if name in FIELDS_OF[persona.kind] and (name != "email_relay" or policy.relay_domain)
        ],
        "consents": [
            {
                "party": party, "status": "given", "at": (noon - timedelta(days=1)).isoformat(), "until": None,
                "purpose": contract.purpose, "provider": policy.provider, "notice": contract.notice, "proof": "seen",
            }
            for party in parties
        ],
        "objections": [],
    }  # fmt: skip
