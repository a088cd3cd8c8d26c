"""What each contract asks, prepared once a policy and not once a person. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from services.contract.policies import Contract, ProviderPolicy
from services.filtering.generalisation import Counted, View, views_of
from services.filtering.parsing import read_policy
from services.filtering.precedents import Precedents
from services.filtering.subject import mark_of


class Named(NamedTuple):
    """Which policy an emission names."""

    digest: str
    version: int
    key_serial: int = 0
    """Under which names what is decided leaves."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One contract as the rules read it, prepared once a policy and not once a person."""

    policy: ProviderPolicy
    contract: Contract
    named: Named
    mark: str
    """Of its names, behind the digest of what leaves under them."""
    pair: str
    usual: bool
    """Whether the first holders may consent to it."""
    family: str
    under: Precedents
    """The policy as the decision reads it."""
    without_contract: Precedents
    """The same for a person whom the contract does not speak of: rule R2, or R1 where it was delivered."""
    view: View | None
    """What it sees made coarse; null where it asks for nothing of that, or nothing was counted."""
    ended_by_change: bool
    """Whether its last day had passed when this policy was put in force; where that is not known, as if so."""
    covers_nobody: bool


class Contracts(NamedTuple):
    """All that may be asked about: every contract by pair, providers without any, and who lets guardians be known."""

    terms: Mapping[str, Terms]
    bare: Mapping[str, Named]
    """What they still have is to be erased."""
    linking: Mapping[str, Terms]
    """Those of `terms` that cover guardians."""

    @classmethod
    def of(cls, terms: Iterable[Terms], bare: Mapping[str, Named]) -> "Contracts":
        by_pair = {term.pair: term for term in terms}
        return cls(by_pair, bare, {pair: term for pair, term in by_pair.items() if "guardian" in term.contract.kinds})


def terms_of(
    policy: ProviderPolicy, digest: str, counted: Counted | None = None, key_serial: int = 0
) -> tuple[Terms, ...]:
    """Every contract of a policy, ready to be asked about; where nothing was counted, nothing counted is seen."""
    views, named = views_of(policy, counted), Named(digest, policy.version, key_serial)
    return tuple(_terms(policy, contract, named, views.get(contract.id)) for contract in policy.contracts)


def _terms(policy: ProviderPolicy, contract: Contract, named: Named, view: View | None) -> Terms:
    request = policy_request(policy, contract)
    nothing = {**request, "provider": {**request["provider"], "contract": None}}
    until = contract.until
    return Terms(
        policy=policy,
        contract=contract,
        named=named,
        mark=mark_of(named.key_serial),
        pair=f"{policy.provider}/{contract.id}",
        usual=contract.legal_basis.usual_act,
        family=contract.family,
        under=Precedents(read_policy(request, policy.register_)),
        without_contract=Precedents(read_policy(nothing, policy.register_)),
        view=view,
        ended_by_change=until is not None and (policy.in_force_from is None or until < policy.in_force_from),
        covers_nobody=not contract.kinds or not contract.schools,
    )


def policy_request(policy: ProviderPolicy, contract: Contract) -> dict[str, Any]:
    """The part of a request that does not depend on the person."""
    whole = policy.model_dump(mode="json", by_alias=True)
    terms = contract.model_dump(mode="json", by_alias=True)
    # An optional key that is null would say "known to list nobody"; one that was never declared is left out.
    perimeter = {
        name: value
        for name, value in whole["perimeter"].items()
        if value is not None or name not in {"providers", "joint_consent_from", "require_secnumcloud"}
    }
    return {
        "perimeter": perimeter,
        "controller": whole["controller"],
        "provider": {
            "id": policy.provider,
            "role": policy.role,
            "contract": {
                "id": contract.id,
                "from": terms["from"],
                "until": terms["until"],
                "purposes": [contract.purpose],
                "fields": {contract.purpose: list(contract.fields)},
                "required": {contract.purpose: list(contract.required)},
            },
            "places": whole["places"],
        },
        "purpose": contract.purpose,
        "legal_basis": terms["legal_basis"],
        "notice": contract.notice,
    }
