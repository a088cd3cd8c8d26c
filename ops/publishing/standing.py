"""What is in force on a cluster, and what operators did to bring it there; read as the stages read it."""

from dataclasses import dataclass, field

from ops.policy_files import MAX_POLICY_BYTES
from ops.publishing.cluster import Addresses, read_whole
from services.contract.acts import APPROVAL_KEY, Approval, approved_of
from services.contract.census import CENSUS_KEY
from services.contract.censuses import CensusBook
from services.contract.errors import Unreadable
from services.contract.parsing import parse_payload
from services.contract.policies import ProviderPolicy, change_set, policy_digest
from services.contract.topology import POLICIES, POLICIES_AUDIT


@dataclass(frozen=True, slots=True)
class Standing:
    """What every stage has in force, and the last approval."""

    policies: dict[str, ProviderPolicy]
    approval: Approval | None
    census: CensusBook = field(default_factory=CensusBook)

    @property
    def change_set(self) -> str:
        return change_set({name: policy_digest(policy) for name, policy in self.policies.items()})

    @property
    def approved(self) -> frozenset[str]:
        return approved_of(self.approval, self.change_set)


def read_standing(addresses: Addresses) -> Standing:
    """Read `policies.v1` as the stages do: a record that cannot be read changes nothing."""
    found: dict[str, ProviderPolicy] = {}
    approval: Approval | None = None
    census = CensusBook()
    for _, key, value in read_whole(addresses, POLICIES):
        provider = (key or b"").decode(errors="replace")
        try:
            if key == APPROVAL_KEY:
                approval = None if value is None else parse_payload(Approval, value, MAX_POLICY_BYTES)
            elif key is not None and key.startswith(CENSUS_KEY):
                census.apply(key, value)
            elif value is None:
                found.pop(provider, None)
            else:
                policy = parse_payload(ProviderPolicy, value, MAX_POLICY_BYTES)
                if policy.provider == provider and (provider not in found or policy.version > found[provider].version):
                    found[provider] = policy
        except Unreadable:
            continue
    return Standing(found, approval, census)


def read_acts(addresses: Addresses) -> list[bytes]:
    """Every act on record, as it was written."""
    return [value for _, _, value in read_whole(addresses, POLICIES_AUDIT) if value is not None]
