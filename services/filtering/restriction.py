"""What the person, a court or time holds back: rules R15 (objection), R21 (leaving), R22 (restriction)."""

import calendar
from collections.abc import Iterator
from datetime import date
from typing import Final

from services.filtering.policy import Finding
from services.filtering.request import Request
from services.filtering.unknown import UNKNOWN, Answer

MONTHS_AFTER_LEAVING: Final = 3
"""Arrêté ENT of 30 November 2006, art. 6."""

REVEALING: Final = frozenset({"school", "groups"})
"""Names of fields that reveal where somebody with a protected address lives."""


def months_later(day: date, months: int) -> tuple[int, int, int]:
    """Give year, month and day some calendar months later, or the last of that month (CPC art. 641)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return year, month + 1, min(day.day, last)


def is_gone_for_good(request: Request) -> Answer:
    """R21: three calendar months have passed since the subject left."""
    gone_since, today = request.subject.gone_since, request.today
    if gone_since is None:
        return False
    if gone_since is UNKNOWN or today is UNKNOWN:
        return UNKNOWN
    return is_long_ago(gone_since, today)


def is_long_ago(gone_since: date, today: date) -> bool:
    return months_later(gone_since, MONTHS_AFTER_LEAVING) <= (today.year, today.month, today.day)


def leaving_findings(request: Request) -> Iterator[Finding]:
    """R21, GDPR art. 5(1)(e)."""
    if request.subject.gone_since is None:
        return
    for_good = is_gone_for_good(request)
    if for_good is True:
        yield Finding("R21", "gone-too-long")
    elif for_good is False:
        yield Finding("R21", "gone-waiting", "hold")


def _may_object(request: Request) -> bool:
    return request.policy.basis.article in {"6(1)(e)", "6(1)(f)"}


def is_objection_upheld(request: Request) -> bool:
    return _may_object(request) and any(objection.status == "upheld" for objection in request.objections)


def objection_findings(request: Request) -> Iterator[Finding]:
    """R15, GDPR art. 18, 21: each entry counts, the most restrictive first; on other grounds none does."""
    if not _may_object(request):
        return
    if is_objection_upheld(request):
        yield Finding("R15", "objection-upheld")
    if any(objection.status == "open" for objection in request.objections):
        yield Finding("R15", "objection-open", "hold")
    if any(objection.status == "rejected" and objection.grounds is None for objection in request.objections):
        yield Finding("R15", "objection-without-grounds", "hold")


def asks_restriction(request: Request) -> bool:
    """Say whether article 18 keeps what time or the end of a contract would erase."""
    return "article-18" in request.subject.restrictions.known


def restriction_findings(request: Request) -> Iterator[Finding]:
    """R22, GDPR art. 18: nothing new is sent while it stands."""
    if "court-order" in request.subject.restrictions.known:
        yield Finding("R22", "court-order", "hold")
    if asks_restriction(request):
        yield Finding("R22", "article-18", "hold")


def restricted_fields(request: Request) -> frozenset[str]:
    """R22: a protected address hides school and groups too; without diffusion, address and contact go."""
    restrictions = request.subject.restrictions.known
    names: set[str] = set(REVEALING) if "protected-address" in restrictions else set()
    if "protected-address" in restrictions or "no-diffusion" in restrictions:
        names |= {
            field.name
            for field in request.fields
            if field.name is not UNKNOWN and field.category in {"address", "contact"}
        }
    return frozenset(names)
