"""Consent, rules R9 to R12 and R14: who must have said yes at this age. What each said is in `last_words`."""

from collections.abc import Iterator
from enum import Enum
from typing import Literal

from services.contract.reasons import Reason, ReasonCode
from services.filtering.last_words import Says, Word, Words, last_words
from services.filtering.policy import ADULT, Finding, age_on
from services.filtering.request import SUBJECT, Request
from services.filtering.unknown import UNKNOWN, is_not


class Band(Enum):
    """Who decides at this age."""

    HOLDERS = "the holders of parental authority alone"
    JOINT = "the child and the holders together"
    MINOR = "the minor"
    ADULT = "the person"


def bands(request: Request) -> tuple[Band, ...]:
    """Give the bands the subject may be in: one where all that it takes is known."""
    subject = request.subject
    if subject.emancipated is True or (subject.kind is not UNKNOWN and subject.kind != "pupil"):
        return (Band.ADULT,)
    by_age = _bands_by_age(request)
    is_sure = subject.kind is not UNKNOWN and subject.emancipated is not UNKNOWN
    return by_age if is_sure or Band.ADULT in by_age else (*by_age, Band.ADULT)


def _bands_by_age(request: Request) -> tuple[Band, ...]:
    """R9: a pupil without birth date is taken as under the consent age, and never as one who need not be asked."""
    perimeter, birth_date = request.policy.perimeter, request.subject.birth_date
    youngest = () if perimeter.joint_consent_from is None else (Band.HOLDERS,)
    minors = (*youngest, Band.JOINT, Band.MINOR)
    if birth_date is None:
        return (Band.JOINT,)
    if birth_date is UNKNOWN or request.today is UNKNOWN:
        return (*minors, Band.ADULT)
    age = age_on(request.today, birth_date)
    if age >= ADULT:
        return (Band.ADULT,)
    if perimeter.consent_age is UNKNOWN or perimeter.joint_consent_from is UNKNOWN:
        return minors
    return (_minor_band(age, perimeter.consent_age, perimeter.joint_consent_from),)


def _minor_band(age: int, consent_age: int | None, joint_consent_from: int | None) -> Band:
    if consent_age is not None and age >= consent_age:
        return Band.MINOR
    return Band.HOLDERS if joint_consent_from is not None and age < joint_consent_from else Band.JOINT


def consent_findings(request: Request) -> Iterator[Finding]:
    """Apply R10 to R14 where consent is the ground; nothing is known while the band is not."""
    possible = bands(request)
    if request.policy.basis.article != "6(1)(a)" or len(possible) > 1:
        return
    words = last_words(request)
    if possible[0] in {Band.HOLDERS, Band.JOINT} and request.policy.perimeter.consent_age is None:
        yield Finding("R10", "no-consent-age")
    match possible[0]:
        case Band.HOLDERS:
            yield from _opposition(request, words)
            yield from _holders(request, words, "R10")
        case Band.JOINT:
            yield from _own(words, "R10", "child-consent-missing")
            yield from _opposition(request, words)
            yield from _holders(request, words, "R10")
        case Band.MINOR:
            yield from _own(words, "R11", "minor-consent-missing")
            if is_not(request.policy.basis.information_society_service):
                yield from _holders(request, words, "R11")
            yield from _after_joint_consent(request, words)
        case Band.ADULT:
            yield from _own(words, "R12", "subject-consent-missing")


def _missing(word: Word, rule: Literal["R10", "R11", "R12"], code: ReasonCode) -> Iterator[Finding]:
    """A record that does not count gives R13 first; no record gives the rule alone."""
    if word.code is not None:
        yield Finding("R13", word.code)
    yield Finding(rule, code)


def _own(words: Words, rule: Literal["R10", "R11", "R12"], code: ReasonCode) -> Iterator[Finding]:
    """R10 (LIL art. 45), R11 (GDPR art. 8), R12 (GDPR art. 6, 7): the person's own consent."""
    own = words.of(SUBJECT)
    if own.says not in {Says.YES, Says.UNCLEAR}:
        yield from _missing(own, rule, code)


def _opposition(request: Request, words: Words) -> Iterator[Finding]:
    """R10: under the consent age one opposing holder is enough, whoever else gave (code civil art. 372-2)."""
    for word in words.of_opponents(request):
        if word.says is Says.NO:
            yield from _missing(word, "R10", "guardian-opposes")


def _holders(request: Request, words: Words, rule: Literal["R10", "R11"]) -> Iterator[Finding]:
    """R10, R11: one holder is enough; for an act that is not usual under the consent age, all (372-2)."""
    guardians = words.of_guardians(request)
    if rule == "R10" and is_not(request.policy.basis.usual_act):
        for word in guardians:
            if word.says not in {Says.YES, Says.UNCLEAR}:
                yield from _missing(word, rule, "holders-not-unanimous")
    if not request.subject.guardians.complete or any(w.says in {Says.YES, Says.UNCLEAR} for w in guardians):
        return
    yield from [Finding("R13", word.code) for word in guardians if word.code is not None]
    yield Finding(rule, "holder-consent-missing")


def _after_joint_consent(request: Request, words: Words) -> Iterator[Finding]:
    """R14, EDPB 05/2020 §147–149: a parent's withdrawal asks the minor; a later yes of the minor answers."""
    if request.policy.basis.information_society_service is not True:
        return
    own = words.of(SUBJECT)
    for word in words.of_opponents(request):
        answered = own.says is Says.YES and own.at > word.at
        if word.code == "consent-withdrawn" and not answered:
            yield Finding("R14", "guardian-withdrew", "hold")


def consent_erasure(request: Request) -> ReasonCode | None:
    """R1, GDPR art. 17(1)(b): a required consent was withdrawn or refused, or a guardian opposes a child's."""
    if request.policy.basis.article != "6(1)(a)":
        return None
    words = last_words(request)
    codes = [_erasure_in(band, request, words) for band in bands(request)]
    return codes[0] if None not in codes else None


def _erasure_in(band: Band, request: Request, words: Words) -> ReasonCode | None:
    own, guardians = words.of(SUBJECT), words.of_guardians(request)
    if band is not Band.HOLDERS and own.says is Says.NO:
        return own.code
    if band is Band.ADULT:
        return None
    if band is not Band.MINOR:
        return "guardian-opposes" if any(word.says is Says.NO for word in words.of_opponents(request)) else None
    opposing = next((word for word in guardians if word.says is Says.NO), None)
    if opposing is None:
        return None
    basis = request.policy.basis
    another_said_yes = any(word.says in {Says.YES, Says.UNCLEAR} for word in guardians)
    if is_not(basis.information_society_service) and request.subject.guardians.complete and not another_said_yes:
        return opposing.code
    return None


def consent_ground(request: Request) -> Reason:
    """Name the ground of a release on consent."""
    match bands(request)[0]:
        case Band.HOLDERS:
            return Reason("R10", "holders-consent")
        case Band.JOINT:
            return Reason("R10", "joint-consent")
        case Band.MINOR:
            return Reason("R11", "minor-consent")
        case Band.ADULT:
            return Reason("R12", "subject-consent")
