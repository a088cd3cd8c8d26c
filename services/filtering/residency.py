"""Where the data would lie and who controls it: rules R18 to R20, by the dated register that the policy carries."""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from services.contract.register import ASSIGNED, Adequacy, Register
from services.contract.register import Period as Dated
from services.filtering.policy import Finding
from services.filtering.request import Place, Request
from services.filtering.unknown import UNKNOWN, Answer, Maybe, Period, in_force, is_not


def residency_findings(request: Request) -> Iterator[Finding]:
    """Apply R18 or R19 to every place, and R20 to all where the perimeter is sovereign."""
    perimeter, register = request.policy.perimeter, request.policy.register
    if perimeter.sovereign is None:
        yield Finding("R20", "sovereignty-undeclared")
    for place in request.policy.places:
        if place.country == "US":
            yield from _united_states(request, place)
        elif place.country is not UNKNOWN and not _may_be_in_eea(register, place.country, request.today):
            yield from _third_country(request, place, place.country)
        if perimeter.sovereign is True:
            yield from _storage(request, place)
            yield from _control(request, place)


def _covers(entry: Dated, today: Maybe[date]) -> Answer:
    return Period(entry.from_, entry.until).covers(today)


def _may_be_in_eea(register: Register, country: str, today: Maybe[date]) -> bool:
    """Say whether a country is not known to lie outside; on a day that is unknown R0 holds anyway."""
    membership = register.membership(country)
    return membership is not None and _covers(membership, today) is not False


def _third_country(request: Request, place: Place, country: str) -> Iterator[Finding]:
    """R18, GDPR art. 44–49: adequate and in scope, or article 46; article 49 never."""
    if country not in ASSIGNED:
        yield Finding("R18", "country-unknown", "hold")
        return
    register, today = request.policy.register, request.today
    if country in register.overseas:
        rule = register.overseas[country]
        if rule is None or _covers(rule, today) is False:
            yield Finding("R18", "overseas-undeclared", "hold")
            return
        if rule.treated_as == "eea":
            return
    decisions = register.adequacy.get(country, ())
    if any(_may_be_adequate(decision, place, today) for decision in decisions):
        return
    if place.instrument is not None:
        yield from _article_46(request, place, "R18")
    elif not decisions:
        yield Finding("R18", "place-not-adequate")
    elif _ended(decisions, today):
        yield Finding("R18", "adequacy-not-in-force")
    else:
        yield Finding("R18", "adequacy-out-of-scope")


def _may_be_adequate(decision: Adequacy, place: Place, today: Maybe[date]) -> bool:
    """Say whether a place is not known to lack adequacy: what is unknown here holds by R0."""
    if _covers(decision, today) is False:
        return False
    return decision.scope is None or place.scope.has(decision.scope) is not False


def _ended(decisions: tuple[Adequacy, ...], today: Maybe[date]) -> bool:
    return all(_covers(decision, today) is False for decision in decisions)


def _united_states(request: Request, place: Place) -> Iterator[Finding]:
    """R19, Decision (EU) 2023/1795, and the perimeter's policy since 2026: the DPF and article 46, both."""
    decisions = request.policy.register.adequacy.get("US", ())
    if _ended(tuple(decision for decision in decisions if decision.scope == "dpf"), request.today):
        yield Finding("R19", "adequacy-not-in-force")
    if place.dpf is None:
        yield Finding("R19", "no-dpf-entry")
    elif in_force(place.dpf, request.today) is False:
        yield Finding("R19", "dpf-not-in-force")
    if is_not(request.policy.perimeter.allow_dpf):
        yield Finding("R19", "dpf-not-allowed")
    if place.instrument is None:
        yield Finding("R19", "no-instrument")
    yield from _article_46(request, place, "R19")


def _article_46(request: Request, place: Place, rule: Literal["R18", "R19"]) -> Iterator[Finding]:
    """R18, R19: an instrument needs an assessment, and a perimeter that accepts it (GDPR art. 46)."""
    if place.instrument is not None and place.instrument is not UNKNOWN and place.instrument.assessment is None:
        yield Finding(rule, "no-transfer-assessment")
    if is_not(request.policy.perimeter.allow_article_46):
        yield Finding(rule, "article-46-not-allowed")


def _storage(request: Request, place: Place) -> Iterator[Finding]:
    """R20: what a sovereign perimeter stores and backs up lies in its storage country."""
    home = request.policy.perimeter.storage_country
    if place.kind not in {"storage", "backup"} or place.country not in ASSIGNED or home is UNKNOWN:
        return
    if home is not None and home not in ASSIGNED:
        yield Finding("R0", "unknown-value", "hold")
    elif home is None or place.country not in request.policy.register.home(home):
        yield Finding("R20", "storage-abroad")


def _control(request: Request, place: Place) -> Iterator[Finding]:
    """R20, SecNumCloud 3.2 §19.6, SREN art. 31: whoever controls the operator of any place is in the EEA."""
    register, control = request.policy.register, place.control_country
    qualified = in_force(place.secnumcloud, request.today)
    if control is UNKNOWN:
        return
    if control is None:
        yield Finding("R20", "control-unknown")
    elif _may_be_in_eea(register, control, request.today):
        if request.policy.perimeter.require_secnumcloud is True and qualified is False:
            yield Finding("R20", "no-secnumcloud")
    elif control in register.overseas or control not in ASSIGNED:
        yield Finding("R20", "control-unknown", "hold")
    elif qualified is True:
        yield Finding("R0", "secnumcloud-contradiction", "hold")
    elif qualified is False:
        yield Finding("R20", "control-abroad")
