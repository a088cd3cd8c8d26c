"""Three invented providers on the shape of an example policy: what each stage is measured under."""

from ops.policy_files import POLICIES_FOLDER, Policies, read_policies

FIELDS = ("given_name", "family_name", "level", "mef", "school", "divisions", "groups")
PROVIDERS = ("alpha", "beta", "gamma")


def bench_policies() -> Policies:
    """The same fields for all three, so that no engine gains by what another provider may not see."""
    example = read_policies(POLICIES_FOLDER)["gar"]
    perimeter = example.perimeter.model_copy(update={"allowed_fields": FIELDS})
    contract = example.contracts[0]
    return {
        name: example.model_copy(
            update={
                "provider": name,
                "name": f"banc {name}",
                "perimeter": perimeter,
                "contracts": (
                    contract.model_copy(
                        update={
                            "id": f"{name}-2026",
                            "purpose": f"{name}-access",
                            "fields": FIELDS,
                            "kinds": ("pupil",),
                        }
                    ),
                ),
            }
        )
        for name in PROVIDERS
    }


def with_consent(policies: Policies, provider: str) -> Policies:
    """The same, but that this provider's purpose needs the consent of the child and of one holder."""
    by_consent = read_policies(POLICIES_FOLDER)["lecture"].contracts[0]
    policy = policies[provider]
    contract = policy.contracts[0].model_copy(
        update={"legal_basis": by_consent.legal_basis, "notice": by_consent.notice}
    )
    return {**policies, provider: policy.model_copy(update={"contracts": (contract,)})}
