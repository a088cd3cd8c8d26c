"""Who may say what: a platform speaks of its own subjects, in the name of its own guardians, and of no other.

Pure; the clock is an argument. A refusal says where, never what was there.
"""

import re
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

from services.contract.changes import Change
from services.contract.consents import ConsentDecision
from services.contract.identifiers import canonical_ine, is_placeholder
from services.contract.policies import day_in_paris
from services.ingress.platforms import Platform

AHEAD: Final = timedelta(minutes=5)
"""As far as a platform's clock may be ahead of ours."""
A_DAY: Final = timedelta(days=1)
"""As far as its calendar may be: in Nouméa it is tomorrow already."""

_GUARDIAN: Final = "guardian:"
_LOCAL_KEY: Final = re.compile(r"([a-z0-9][a-z0-9._-]{0,63}):([^\x00-\x1f\x7f-\x9f]{1,128})")

Code = Literal["not-a-subject", "foreign-subject", "foreign-guardian", "foreign-source", "dated-ahead"]


class Refusal(NamedTuple):
    """Why a platform may not say this; `where` is a declared field."""

    code: Code
    where: str


def refuse_decision(platform: Platform, decision: ConsentDecision, now: datetime) -> Refusal | None:
    """Why this platform may not give, refuse or withdraw in that name; null where it may.

    A yes that is dated ahead would one day outweigh a no that is said tomorrow. A no is heard whatever its date.
    """
    if _source_of(decision.subject) is None and not _is_ine(decision.subject):
        return Refusal("not-a-subject", "subject")
    if not _may_speak_of(platform, decision.subject):
        return Refusal("foreign-subject", "subject")
    guardian = decision.party.removeprefix(_GUARDIAN)
    if guardian != decision.party and _source_of(guardian) not in platform.sources:
        return Refusal("foreign-guardian", "party")
    if decision.status == "given" and decision.at > now + AHEAD:
        return Refusal("dated-ahead", "at")
    return None


def refuse_change(platform: Platform, change: Change, now: datetime) -> Refusal | None:
    """Why this platform may not say this of the directory: another's source, or an INE that it may not name.

    What is dated ahead would outweigh all that is said until then, a deletion too; a deletion may have any date.
    """
    if change.source not in platform.sources:
        return Refusal("foreign-source", "source")
    if change.attributes.ine is not None and not platform.ine:
        return Refusal("foreign-subject", "attributes.ine")
    if change.kind != "delete" and change.version[:8] > day_in_paris(now + A_DAY).strftime("%Y%m%d"):
        return Refusal("dated-ahead", "version")
    return None


def _may_speak_of(platform: Platform, key: str) -> bool:
    return platform.ine if _is_ine(key) else _source_of(key) in platform.sources


def _is_ine(key: str) -> bool:
    return canonical_ine(key) == key


def _source_of(key: str) -> str | None:
    """The source of `<source>:<id>`; null where the key is not of that form, or the id stands for none."""
    match = _LOCAL_KEY.fullmatch(key)
    return match[1] if match and match[2] == match[2].strip() and not is_placeholder(match[2]) else None
