"""May this provider know this, now? One pure function of one request (rules.md); no clock, no look-up.

Unknown is not no, and never yes. Any JSON object gets a verdict, never an exception.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, assert_never

from services.contract.reasons import Reason, ReasonCode, Rule
from services.contract.register import Register
from services.filtering.address import too_fine_fields
from services.filtering.consent import consent_erasure, consent_findings, consent_ground
from services.filtering.minimisation import Minimised, field_findings, minimise
from services.filtering.parsing import read_policy, read_request
from services.filtering.policy import Finding, contract_end, contract_findings, ground_findings
from services.filtering.request import Policy, Request
from services.filtering.residency import residency_findings
from services.filtering.restriction import (
    asks_restriction,
    is_gone_for_good,
    is_objection_upheld,
    leaving_findings,
    objection_findings,
    restricted_fields,
    restriction_findings,
)
from services.filtering.unknown import UNKNOWN

Outcome = Literal["release", "hold", "withhold", "erase"]

SEVERITY: Final[Mapping[Outcome, int]] = MappingProxyType({"release": 0, "hold": 1, "withhold": 2, "erase": 3})
TABLE_ORDER: Final[tuple[Rule, ...]] = (
    "R0", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R13", "R10",
    "R11", "R12", "R14", "R15", "R16", "R17", "R18", "R19", "R20", "R21", "R22", "R23",
)  # fmt: skip
"""R13 reads before the rule that needs the consent (rules.md, "Reasons")."""

_POSITION: Final = {rule: position for position, rule in enumerate(TABLE_ORDER)}
_UNLAWFUL: Final[frozenset[Rule]] = frozenset(
    {"R2", "R3", "R4", "R5", "R6", "R7", "R8", "R10", "R11", "R12", "R13", "R18", "R19", "R20"}
)
"""Where these are known to fail, the provider may not keep what it has (GDPR art. 17(1)(d), 28(3)(g))."""

_ENDED_BY_TIME: Final[frozenset[ReasonCode]] = frozenset({"no-contract", "contract-over", "gone-too-long"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, with all that a later reader needs to see why; `now` as the request gave it.

    `fields` is empty unless released. `restrict`: the provider that has it is told to stop using it (GDPR 18, 19).
    """

    verdict: Outcome
    fields: tuple[str, ...]
    dropped: Mapping[str, Rule]
    reasons: tuple[Reason, ...]
    restrict: bool
    policy: str
    now: str | None

    def to_json(self) -> dict[str, object]:
        """Give exactly the verdict's JSON of rules.md."""
        return {
            "verdict": self.verdict,
            "fields": list(self.fields),
            "dropped": dict(self.dropped),
            "reasons": [{"rule": reason.rule, "code": reason.code} for reason in self.reasons],
            "restrict": self.restrict,
            "policy": self.policy,
        }


def decide(request: Mapping[str, object], register: Register) -> Verdict:
    """Decide one request, whatever JSON object it is, by the law of places that is given."""
    return decide_under(read_policy(request, register), request)


def decide_under(policy: Policy, request: Mapping[str, object]) -> Verdict:
    """Decide under a policy part that was read before, as a stage does for every person of a contract."""
    now = request.get("now")
    recorded = now if isinstance(now, str) else None
    try:
        return _evaluate(read_request(policy, request), recorded)
    except Exception:  # noqa: BLE001 - R0: an evaluation error is a hold, and never says yes
        reason = Reason("R0", "evaluation-error")
        return Verdict("hold", (), {}, (reason,), restrict=False, policy=policy.digest, now=recorded)


def _evaluate(request: Request, now: str | None) -> Verdict:
    digest = request.policy.digest
    owed = erasure_owed(request)
    if owed is not None:
        return Verdict("erase", (), {}, (Reason("R1", owed),), restrict=False, policy=digest, now=now)
    minimised = minimised_in(request)
    judged = [(finding, outcome_of(finding, request)) for finding in findings(request, minimised)]
    worst: Outcome = max([outcome for _, outcome in judged], key=SEVERITY.__getitem__, default="release")
    reasons = _reasons([finding for finding, outcome in judged if outcome == worst])
    return Verdict(
        verdict=worst,
        fields=minimised.kept if worst == "release" else (),
        dropped=minimised.lowest(),
        reasons=reasons or (ground_of(request),),
        restrict=_is_restricted(request, worst, reasons),
        policy=digest,
        now=now,
    )


def minimised_in(request: Request) -> Minimised:
    """What every rule that drops a field has left."""
    return minimise(request, restricted_fields(request), too_fine_fields(request))


def erasure_owed(request: Request) -> ReasonCode | None:
    """R1, GDPR art. 17, 19, 28(3)(g): an erasure that nothing blocks, as far as its own inputs are known."""
    if request.subject.delivered is not True:
        return None
    if request.subject.deleted is not True and not asks_restriction(request):
        end = contract_end(request.policy.contract, request.today)
        if end is not None:
            return end
    return owed_to_the_person(request)


def owed_to_the_person(request: Request) -> ReasonCode | None:
    """R1 without the end of the contract: what she is owed because of herself, and would be under any contract."""
    if request.subject.deleted is True:
        return "subject-deleted"
    if not asks_restriction(request) and is_gone_for_good(request) is True:
        return "gone-too-long"
    if is_objection_upheld(request):
        return "objection-upheld"
    return consent_erasure(request)


def findings(request: Request, minimised: Minimised) -> Iterator[Finding]:
    """What every rule but R1 has against a release."""
    yield from [Finding("R0", code, "hold") for code in request.problems]
    yield from contract_findings(request)
    yield from ground_findings(request)
    yield from consent_findings(request)
    yield from objection_findings(request)
    yield from field_findings(request, minimised)
    yield from residency_findings(request)
    yield from leaving_findings(request)
    yield from restriction_findings(request)


def outcome_of(finding: Finding, request: Request) -> Outcome:
    """Turn a known failure into an erasure where the provider has it, unless article 18 keeps it (R22)."""
    if finding.verdict == "hold" or request.subject.delivered is not True:
        return finding.verdict
    if finding.code in _ENDED_BY_TIME and asks_restriction(request):
        return "release"  # R22 holds in its place
    return "erase" if finding.rule in _UNLAWFUL else finding.verdict


def _reasons(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    """Give each rule once, with the first code it found, in table order."""
    first: dict[Rule, Reason] = {}
    for finding in findings:
        first.setdefault(finding.rule, Reason(finding.rule, finding.code))
    return tuple(first[rule] for rule in sorted(first, key=_POSITION.__getitem__))


def _is_restricted(request: Request, verdict: Outcome, reasons: tuple[Reason, ...]) -> bool:
    """R15 and R22 tell a provider that has it to stop using it (GDPR art. 18, 19)."""
    if verdict != "hold" or request.subject.delivered is not True:
        return False
    return any(reason.rule in {"R15", "R22"} for reason in reasons)


def ground_of(request: Request) -> Reason:
    """Name the ground of a release, which is known where no rule found anything."""
    article = request.policy.basis.article
    if article is UNKNOWN:
        return Reason("R0", "unknown-value")
    match article:
        case "6(1)(a)":
            return consent_ground(request)
        case "6(1)(b)":
            return Reason("R7", "contract-signed")
        case "6(1)(c)":
            return Reason("R4", "legal-obligation")
        case "6(1)(e)":
            return Reason("R3", "public-task")
        case "6(1)(f)":
            return Reason("R6", "legitimate-interest")
        case _:
            assert_never(article)
