"""What one provider's policy says of its contracts on one day: asked for every upsert, worked out once. Pure."""

from datetime import date
from typing import NamedTuple

from services.contract.policies import ProviderPolicy, Refusal, refusal


class Term(NamedTuple):
    """Why nothing may go under a contract, if so; and how long its release window is."""

    refusal: Refusal | None
    window_seconds: int


class Terms:
    """Under one policy; without one, nothing may go."""

    def __init__(self, policy: ProviderPolicy | None, day: date) -> None:
        self.policy = policy
        self.day = day
        self._known: dict[str, Term] = {}

    def of(self, contract_id: str, policy_version: int) -> Term:
        """What holds for a word that was decided under a policy of this version; an older one does not speak of it."""
        if self.policy is None or self.policy.version < policy_version:
            return Term("contract-not-in-force", 0)
        if contract_id not in self._known:
            contract = self.policy.contract(contract_id)
            window = contract.release_window_seconds if contract else 0
            self._known[contract_id] = Term(refusal(self.policy, contract_id, self.day), window)
        return self._known[contract_id]

    def speak_of(self, policy_version: int) -> bool:
        """Whether the policy that a word was decided under has come."""
        return self.policy is not None and self.policy.version >= policy_version
