"""What one provider's policy says of its contracts on one day: asked for every upsert, worked out once. Pure."""

from datetime import date
from typing import Literal, NamedTuple

from services.connectors.words import Word
from services.contract.policies import ProviderPolicy, Refusal, refusal, releasable


class Term(NamedTuple):
    """Why nothing may go under a contract, or not this word, if so; and how long its release window is."""

    refusal: Refusal | Literal["field-not-in-contract"] | None
    window_seconds: int


class Terms:
    """Under one policy; without one, nothing may go."""

    def __init__(self, policy: ProviderPolicy | None, day: date) -> None:
        self.policy = policy
        self.day = day
        self._known: dict[str, tuple[Term, frozenset[str]]] = {}
        """By contract, with the fields that it may tell."""

    def of(self, word: Word) -> Term:
        """What holds for a word; a policy that is older than the one it was decided under does not speak of it.

        It may have been decided under an older one, by which the provider was told more, and have waited since.
        """
        if self.policy is None or self.policy.version < word.policy_version:
            return Term("contract-not-in-force", 0)
        known = self._known.get(word.contract)
        if known is None:
            known = self._known[word.contract] = self._judge(self.policy, word.contract)
        term, allowed = known
        if term.refusal is None and not word.fields.keys() <= allowed:
            return Term("field-not-in-contract", term.window_seconds)
        return term

    def _judge(self, policy: ProviderPolicy, contract_id: str) -> tuple[Term, frozenset[str]]:
        contract = policy.contract(contract_id)
        if contract is None:
            return Term("contract-not-in-force", 0), frozenset()
        term = Term(refusal(policy, contract_id, self.day), contract.release_window_seconds)
        return term, releasable(policy, contract)

    def speak_of(self, policy_version: int) -> bool:
        """Whether the policy that a word was decided under has come."""
        return self.policy is not None and self.policy.version >= policy_version
