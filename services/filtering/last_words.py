"""The last word of each party about one purpose and one provider, rule R13 (GDPR art. 7(1), 7(3)).

Never looks at the position of a record in the list; a record that cannot be read in full never helps.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from services.contract.reasons import ReasonCode
from services.filtering.request import GUARDIAN, Consent, Request, Status
from services.filtering.unknown import UNKNOWN, Answer

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)
_RANK: Final = {"given": 0, "refused": 1, "withdrawn": 2}


class Says(Enum):
    """What the last word of a party amounts to."""

    NOTHING = "no record about this purpose and provider"
    YES = "a consent that counts"
    LAPSED = "a consent that does not count"
    NO = "refused or withdrawn"
    UNCLEAR = "not to be known"


@dataclass(frozen=True, slots=True)
class Word:
    """The last word of one party; `code` says why it is not a yes."""

    says: Says
    code: ReasonCode | None = None
    at: datetime = _EARLIEST


@dataclass(frozen=True, slots=True)
class Words:
    """The last word of each party that spoke; others said nothing, unless a record cannot be attributed."""

    by_party: dict[str, Word]
    others: Word

    def of(self, party: str) -> Word:
        return self.by_party.get(party, self.others)

    def of_guardians(self, request: Request) -> list[Word]:
        return [self.of(GUARDIAN + guardian) for guardian in request.subject.guardians.known]

    def of_opponents(self, request: Request) -> list[Word]:
        """Those of guardians and of whoever else may oppose."""
        return self.of_guardians(request) + [self.of(GUARDIAN + name) for name in request.subject.opposing.known]


def last_words(request: Request) -> Words:
    """R13, GDPR art. 7(1), 7(3): per party the greatest `at` counts; on a tie, the more restrictive word."""
    words: dict[str, tuple[tuple[datetime, int, int, str], Word]] = {}
    doubted: set[str] = set()
    all_doubted = not request.all_consents_known
    for consent in request.consents:
        concerns = _concerns(request, consent)
        if concerns is False or (consent.status == "given" and _is_later(consent, request)):
            continue
        if consent.party is UNKNOWN:
            all_doubted = True
        elif concerns is UNKNOWN or consent.status is UNKNOWN or (consent.status == "given" and consent.at is UNKNOWN):
            doubted.add(consent.party)
        else:
            word = _word(request, consent, consent.status)
            clarity = {Says.YES: 2, Says.UNCLEAR: 1}.get(word.says, 0)
            key = (word.at, _RANK[consent.status], clarity, word.code or "")
            if consent.party not in words or key > words[consent.party][0]:
                words[consent.party] = (key, word)
    unclear = Word(Says.UNCLEAR)
    by_party = {party: word for party, (_, word) in words.items()}
    for party in by_party.keys() | doubted:
        if (all_doubted or party in doubted) and by_party.get(party, unclear).says is not Says.NO:
            by_party[party] = unclear
    return Words(by_party, unclear if all_doubted else Word(Says.NOTHING))


def _concerns(request: Request, consent: Consent) -> Answer:
    """Say whether a record is about this purpose and this provider."""
    pairs = ((consent.purpose, request.policy.purpose), (consent.provider, request.policy.provider))
    if any(UNKNOWN not in pair and pair[0] != pair[1] for pair in pairs):
        return False
    return UNKNOWN if any(UNKNOWN in pair for pair in pairs) else True


def _is_later(consent: Consent, request: Request) -> bool:
    return consent.at is not UNKNOWN and request.now is not UNKNOWN and consent.at > request.now


def _word(request: Request, consent: Consent, status: Status) -> Word:
    at = _EARLIEST if consent.at is UNKNOWN else consent.at
    if status == "withdrawn":
        return Word(Says.NO, "consent-withdrawn", at)
    if status == "refused":
        return Word(Says.NO, "consent-refused", at)
    notice, expected = consent.notice, request.policy.notice
    if notice is None or expected is None or (UNKNOWN not in {notice, expected} and notice != expected):
        return Word(Says.LAPSED, "consent-other-notice", at)
    if consent.proof is None:
        return Word(Says.LAPSED, "consent-without-proof", at)
    if isinstance(consent.until, datetime) and request.now is not UNKNOWN and consent.until <= request.now:
        return Word(Says.LAPSED, "consent-expired", at)
    unclear = UNKNOWN in {notice, expected, consent.proof, consent.until, request.now}
    return Word(Says.UNCLEAR if unclear else Says.YES, at=at)
