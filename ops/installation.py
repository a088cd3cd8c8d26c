"""What an installation needs before its services can start, in order: topics, keys, policies. Each may be there already."""

import os
from dataclasses import dataclass
from pathlib import Path

from ops import keys
from ops.policy_files import Policies, read_policies
from ops.publishing.cluster import Addresses, reach
from ops.publishing.policies import apply_policies
from ops.supervisor import Service, stages
from ops.topics import apply_topics, wanted_topics
from services.contract.errors import WrongSettings


@dataclass(frozen=True, slots=True)
class Installation:
    """A cluster that is ready for the services, and where their keys lie."""

    bootstrap: str
    addresses: Addresses
    policies: Policies
    key_files: keys.KeyFiles

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(sorted(self.policies))

    @property
    def services(self) -> tuple[Service, ...]:
        return stages(self.bootstrap, self.key_files.keyring, self.key_files.kek, self.providers)


def install(bootstrap: str, keys_folder: Path, policies_folder: Path, partitions: int) -> Installation:
    """Make what is missing; run again, it changes nothing.

    Raises:
        SanctuaireError: which step cannot be taken, and what to do.
    """
    wanted = read_policies(policies_folder)
    addresses = reach(bootstrap)
    apply_topics(addresses, wanted_topics(tuple(sorted(wanted)), partitions))
    key_files = _keys(keys_folder, next(iter(wanted.values())).perimeter.id)
    steps = apply_policies(addresses, wanted)
    return Installation(bootstrap, addresses, {step.policy.provider: step.policy for step in steps}, key_files)


def _keys(folder: Path, perimeter: str) -> keys.KeyFiles:
    files = keys.KeyFiles(folder / keys.KEYRING_FILE, folder / keys.KEK_FILE)
    if not files.keyring.exists() and not files.kek.exists():
        return keys.init(folder, perimeter, os.urandom)
    if keys.status(files.keyring, files.kek).perimeter != perimeter:
        raise WrongSettings(f"{folder}: these keys are of another perimeter than the policies'")
    return files
