"""Contract and ground: rules R2 to R8, which look at the policy and at who the person is, not at what anyone said.

A rule finds a known failure, or nothing: what is unknown was noted while reading, and holds by R0.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from services.contract.reasons import ReasonCode, Rule
from services.filtering.request import GUARDIAN, SUBJECT, Contract, Request
from services.filtering.unknown import UNKNOWN, Maybe, is_not

ADULT: Final = 18


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule found against a release; a `withhold` becomes an erasure where the provider has it."""

    rule: Rule
    code: ReasonCode
    verdict: Literal["hold", "withhold"] = "withhold"


def age_on(today: date, birth_date: date) -> int:
    """Count whole years; who was born on 29 February turns on 1 March where the year has no such day."""
    return today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))


def contract_end(contract: Maybe[Contract | None], today: Maybe[date]) -> ReasonCode | None:
    """Say why there is no contract any more, where that is known."""
    if contract is None:
        return "no-contract"
    if contract is not UNKNOWN and contract.period.is_over(today) is True:
        return "contract-over"
    return None


def contract_findings(request: Request) -> Iterator[Finding]:
    """R2, GDPR art. 5(1)(b), 28; 26 for a provider that is a controller."""
    policy = request.policy
    end = contract_end(policy.contract, request.today)
    if request.subject.deleted is True:
        yield Finding("R2", "subject-deleted")
    listed = policy.perimeter.providers
    if listed is not None and policy.provider is not UNKNOWN and listed.has(policy.provider) is False:
        yield Finding("R2", "provider-not-listed")
    if end is not None:
        yield Finding("R2", end)
    if policy.contract is None or policy.contract is UNKNOWN:
        return
    if policy.contract.period.has_begun(request.today) is False:
        yield Finding("R2", "contract-not-begun")
    named = policy.contract.purposes
    if policy.purpose is None or (policy.purpose is not UNKNOWN and named.has(policy.purpose) is False):
        yield Finding("R2", "purpose-not-in-contract")


def ground_findings(request: Request) -> Iterator[Finding]:
    """Apply the rules of the one article that is claimed (GDPR art. 6(1))."""
    match request.policy.basis.article:
        case "6(1)(e)":
            yield from _public_task(request)
        case "6(1)(c)":
            yield from _act(request, "R4")
        case "6(1)(f)":
            yield from _legitimate_interest(request)
        case "6(1)(b)":
            yield from _contract_of_the_subject(request)
        case "6(1)(a)":
            if is_not(request.policy.basis.optional_service):
                yield Finding("R8", "service-not-optional")  # recital 43, EDPB 05/2020
        case _:
            return


def _act(request: Request, rule: Literal["R3", "R4"]) -> Iterator[Finding]:
    """R4, and the first part of R3: an act in force, which covers this kind of person (GDPR art. 6(3))."""
    act = request.policy.basis.act
    if act is None:
        yield Finding(rule, "no-act")
    elif act is not UNKNOWN:
        if act.period.covers(request.today) is False:
            yield Finding(rule, "act-not-in-force")
        kind = request.subject.kind
        if kind is not UNKNOWN and act.kinds.has(kind) is False:
            yield Finding(rule, "kind-not-covered-by-act")


def _public_task(request: Request) -> Iterator[Finding]:
    """R3, GDPR art. 6(1)(e), 6(3), 13–14, 30; code de l'éducation L.131-2; arrêté GAR of 18 December 2017."""
    policy = request.policy
    yield from _act(request, "R3")
    if is_not(policy.controller.public_authority):
        yield Finding("R3", "controller-not-public")
    if is_not(policy.controller.in_its_task):
        yield Finding("R3", "controller-not-in-task")
    if policy.role == "controller":
        yield Finding("R3", "provider-not-processor")
    if policy.basis.register_entry is None:
        yield Finding("R3", "no-register-entry")
    if policy.notice is None:
        yield Finding("R3", "no-notice")


def _legitimate_interest(request: Request) -> Iterator[Finding]:
    """R5 and R6, GDPR art. 6(1)(f) and 6(1), last sentence."""
    controller = request.policy.controller
    if controller.public_authority in {True, None} and controller.in_its_task in {True, None}:
        yield Finding("R5", "public-authority-in-task")
    if request.policy.basis.balancing is None and _may_be_minor(request) is True:
        yield Finding("R6", "no-balancing")


def _contract_of_the_subject(request: Request) -> Iterator[Finding]:
    """R7, GDPR art. 6(1)(b), code civil art. 1146: a minor does not sign, a guardian does."""
    subject, signatory = request.subject, request.policy.basis.signatory
    if signatory is UNKNOWN:
        return
    if signatory is None:
        entitled = False
    elif signatory == SUBJECT:
        entitled = subject.emancipated in {True, UNKNOWN} or _may_be_minor(request) is not True
    else:
        entitled = subject.guardians.has(signatory.removeprefix(GUARDIAN)) is not False
    if not entitled:
        yield Finding("R7", "signatory-not-entitled")


def _may_be_minor(request: Request) -> Maybe[bool]:
    """Say whether the subject is under 18 or of no known age; unknown where that could not be read."""
    birth_date = request.subject.birth_date
    if birth_date is None:
        return True
    if birth_date is UNKNOWN or request.today is UNKNOWN:
        return UNKNOWN
    return age_on(request.today, birth_date) < ADULT
