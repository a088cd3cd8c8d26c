"""Invented providers on the shapes of the example policies: what each stage is measured under."""

from ops.policy_files import POLICIES_FOLDER, Policies, read_policies
from services.contract.policies import ProviderPolicy

FIELDS = ("given_name", "family_name", "level", "mef", "school", "divisions", "groups")
PROVIDERS = ("alpha", "beta", "gamma")
ON_CONSENT = "delta"


def bench_policies() -> Policies:
    """The same fields for all three, so that no engine gains by what another provider may not see."""
    example = read_policies(POLICIES_FOLDER)["gar"]
    return {name: _renamed(example, name, FIELDS) for name in PROVIDERS}


def consent_policy() -> ProviderPolicy:
    """Nothing without consent; the contract names one field more than the perimeter allows."""
    return _renamed(read_policies(POLICIES_FOLDER)["lecture"], ON_CONSENT, (*FIELDS, "birth_date"))


def _renamed(example: ProviderPolicy, name: str, fields: tuple[str, ...]) -> ProviderPolicy:
    contract = example.contracts[0].model_copy(
        update={"id": f"{name}-2026", "purpose": f"{name}-access", "fields": fields, "kinds": ("pupil",)}
    )
    perimeter = example.perimeter.model_copy(update={"allowed_fields": FIELDS})
    return example.model_copy(
        update={"provider": name, "name": f"banc {name}", "perimeter": perimeter, "contracts": (contract,)}
    )


def with_consent(policies: Policies, provider: str) -> Policies:
    """The same, but that this provider's purpose needs the consent of the child and of one holder."""
    by_consent = read_policies(POLICIES_FOLDER)["lecture"].contracts[0]
    policy = policies[provider]
    contract = policy.contracts[0].model_copy(
        update={"legal_basis": by_consent.legal_basis, "notice": by_consent.notice}
    )
    return {**policies, provider: policy.model_copy(update={"contracts": (contract,)})}
