"""Decide once for all whom no rule can tell apart: one policy, and the verdicts given under it today.

No rule is repeated here. A verdict comes from the rules themselves, asked about the one request that stands for all
that are alike; where there is no such likeness they are asked about the person herself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from services.filtering.decision import Verdict, decide_under, owed_to_the_person, restriction_owed
from services.filtering.likeness import Moment, Offer, Traits, representative, traits_of
from services.filtering.parsing import read_request
from services.filtering.request import SUBJECT, Policy
from services.filtering.spoken import Matter, Seen, Word, seen_of, words_of
from services.filtering.unknown import UNKNOWN

MAX_PRECEDENTS = 4096
"""For one policy: some megabytes at most. Beyond it, all are forgotten."""

Records = Sequence[Mapping[str, Any]]
Topic = tuple[object, object]
"""The provider and the purpose of a consent."""
_Key = tuple[Traits, bool, int, tuple[Seen, ...]]


class Facts:
    """One person's part of a request, and what the rules can see of it, looked at once for all contracts."""

    __slots__ = ("_day", "_seen", "_subject", "consents", "guardians", "objections", "offer", "traits", "words")

    def __init__(
        self, subject: Mapping[str, Any], offer: Offer, consents: Records, objections: Records, day: date
    ) -> None:
        self._subject = subject
        self._day = day
        self.offer = offer
        self.consents = consents
        self.objections = objections
        self.traits = traits_of(subject, offer, day)
        self.guardians: Sequence[str] = () if self.traits is None else subject["guardians"]
        self.words: tuple[Word, ...] | None = words_of(consents, self.guardians) if consents else ()

    def offering(self, offer: Offer) -> "Facts":
        """The same person with other fields on offer, or the same fields under other categories."""
        return Facts(self._subject, offer, self.consents, self.objections, self._day)

    def against(self, provider: object, purpose: object) -> Records:
        """What is objected to this purpose at this provider."""
        return tuple(one for one in self.objections if one["provider"] == provider and one["purpose"] == purpose)

    def request(self, now: str, objections: Records, *, delivered: bool) -> dict[str, Any]:
        """The request as it stands."""
        return {
            "now": now,
            "subject": {**self._subject, "delivered": delivered},
            "fields": self.offer.fields,
            "consents": list(self.consents),
            "objections": [{name: one[name] for name in ("status", "at", "grounds")} for one in objections],
        }


class Precedents:
    """One policy as the decision reads it, and what was decided under it on one day."""

    __slots__ = ("_by_consent", "_day", "_matter", "_policy", "_verdicts", "asked", "decided")

    def __init__(self, policy: Policy) -> None:
        basis = policy.basis
        self._policy = policy
        self._by_consent = basis.article == "6(1)(a)"
        # A signatory by name would have to be found among the guardians, who are nobody in particular here.
        by_name = basis.article == "6(1)(b)" and basis.signatory not in {None, SUBJECT}
        purpose, provider, notice = policy.purpose, policy.provider, policy.notice
        self._matter: Matter | None = None
        if isinstance(purpose, str) and isinstance(provider, str) and notice is not UNKNOWN:
            self._matter = None if policy.problems or by_name else Matter(purpose, provider, notice)
        self._day: date | None = None
        self._verdicts: dict[_Key, Verdict] = {}
        self.asked = self.decided = 0

    @property
    def topic(self) -> Topic | None:
        """What a consent must be about to be heard here; null where consent is not the ground."""
        return (self._policy.provider, self._policy.purpose) if self._by_consent else None

    @property
    def has_precedents(self) -> bool:
        """Whether those who are alike are decided once; else each is, under this policy."""
        return self._matter is not None

    @property
    def policy(self) -> Policy:
        return self._policy

    def request(self, facts: Facts, moment: Moment, *, delivered: bool) -> dict[str, Any]:
        """The request as it stands, of a person whom no precedent speaks of, or who is to be explained."""
        against = facts.against(self._policy.provider, self._policy.purpose)
        return facts.request(moment.text, against, delivered=delivered)

    def decide(self, facts: Facts, moment: Moment, *, delivered: bool) -> Verdict:
        """The verdict on this person, by precedent where there is one."""
        traits, words, matter = facts.traits, facts.words, self._matter
        self.asked += 1
        if traits is None or words is None or matter is None or facts.objections:
            self.decided += 1
            return decide_under(self._policy, self.request(facts, moment, delivered=delivered))
        if moment.day != self._day:
            self._day, self._verdicts = moment.day, {}
        key: _Key
        if self._by_consent:
            seen = seen_of(words, matter, moment.now) if words else ()
            key = traits, delivered, len(facts.guardians), seen
        else:
            key = traits, delivered, 0, ()
        verdict = self._verdicts.get(key)
        if verdict is None or verdict.now != moment.text:
            verdict = self._decide_first(key, matter, moment) if verdict is None else replace(verdict, now=moment.text)
            self._verdicts[key] = verdict
        return verdict

    def owes(self, facts: Facts, moment: Moment) -> bool:
        """Whether the person, of whom something was delivered, is owed an erasure whatever becomes of the contract."""
        request = read_request(self._policy, self.request(facts, moment, delivered=True))
        return owed_to_the_person(request) is not None

    def owes_restriction(self, facts: Facts, moment: Moment) -> bool:
        """Whether she, of whom something was delivered, is owed its restriction whatever becomes of it otherwise."""
        return restriction_owed(read_request(self._policy, self.request(facts, moment, delivered=True)))

    def _decide_first(self, key: _Key, matter: Matter, moment: Moment) -> Verdict:
        traits, delivered, guardians, seen = key
        request = representative(traits, guardians, seen, matter, moment.day)
        request["subject"]["delivered"] = delivered
        if len(self._verdicts) >= MAX_PRECEDENTS:
            self._verdicts.clear()
        self.decided += 1
        return replace(decide_under(self._policy, request), now=moment.text)
