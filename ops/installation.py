"""What an installation needs before its services can start: topics, keys, policies; each may be there already."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from ops import keys, operators, platforms
from ops.policy_files import Files, Policies, parse_policies, read_files
from ops.policy_signatures import SigningFiles, generate, read_signing_key, read_trusted, sign, verify
from ops.publishing.cluster import Addresses, reach
from ops.publishing.policies import apply_policies
from ops.supervisor import Service
from ops.topics import apply_topics, wanted_topics
from services.contract.acts import Signed
from services.contract.audit import Stage
from services.contract.errors import WrongSettings
from services.ingress.platforms import NOBODY

STAGES: tuple[str, ...] = get_args(Stage)
DEVELOPER = "development"
"""Who signs and applies where nobody is asked."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A cluster that is ready for the services, and where their keys lie."""

    bootstrap: str
    addresses: Addresses
    policies: Policies
    key_files: keys.KeyFiles
    platforms: Path
    """The register of who may post to ingress."""
    operator: Path
    """The account of who may look at the console."""
    new_password: str | None
    """Of that account, where it was made just now; nobody can read it again."""

    @property
    def providers(self) -> tuple[str, ...]:
        return tuple(sorted(self.policies))

    @property
    def services(self) -> tuple[Service, ...]:
        return self.services_with({})

    def services_with(self, workers: Mapping[str, int]) -> tuple[Service, ...]:
        """`workers` by stage; one where it is silent."""
        return stages(self.bootstrap, self.key_files.keyring, self.key_files.kek, self.providers, workers)

    def ingress_at(self, address: str) -> Service:
        """What platforms post to; one process, for it pins keys (decisions/0002)."""
        environment = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "SANCTUAIRE_PLATFORMS_FILE": str(self.platforms.resolve()),
            "SANCTUAIRE_INGRESS_ADDRESS": address,
        }
        return Service("ingress", "services.ingress", environment, "ingress", holds_partitions=False)

    def console_at(self, address: str) -> Service:
        """What operators watch; it reads accounts, and its history is its own."""
        environment = {
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "SANCTUAIRE_OPERATOR_FILE": str(self.operator.resolve()),
            "SANCTUAIRE_CONSOLE_ADDRESS": address,
        }
        return Service("console", "services.console", environment, "console", holds_partitions=False)


def install(bootstrap: str, keys_folder: Path, policies_folder: Path, partitions: int) -> Installation:
    """Make what is missing; run again, it changes nothing.

    Raises:
        SanctuaireError: which step cannot be taken, and what to do.
    """
    files = read_files(policies_folder)
    wanted = parse_policies(files)
    addresses = reach(bootstrap)
    apply_topics(addresses, wanted_topics(tuple(sorted(wanted)), partitions))
    key_files = _keys(keys_folder, next(iter(wanted.values())).perimeter.id)
    register = keys_folder / platforms.REGISTER_FILE
    if not register.exists():
        platforms.write(register, NOBODY)
    applied = apply_policies(addresses, wanted, DEVELOPER, _signed_here(files, keys_folder))
    policies = {step.policy.provider: step.policy for step in applied.steps}
    operator = keys_folder / operators.ACCOUNT_FILE
    password = None if operator.exists() else operators.renew(operator, operators.NAME, os.urandom)
    return Installation(bootstrap, addresses, policies, key_files, register, operator, password)


def _signed_here(files: Files, keys_folder: Path) -> Signed:
    """A development's own signature, by a key that is made at first use: who runs it here answers for its policies."""
    signing = SigningFiles.within(keys_folder)
    if not signing.private.exists() and not signing.trusted.exists():
        signing = generate(keys_folder)
    signature = sign(files, read_signing_key(signing.private), DEVELOPER, datetime.now(UTC))
    return verify(files, signature, read_trusted(signing.trusted))


def _keys(folder: Path, perimeter: str) -> keys.KeyFiles:
    files = keys.KeyFiles.within(folder)
    if not files.keyring.exists() and not files.kek.exists():
        return keys.init(folder, perimeter, os.urandom)
    if keys.load(files.keyring, files.kek).perimeter != perimeter:
        raise WrongSettings(f"{folder}: these keys are of another perimeter than the policies'")
    return files


def stages(
    bootstrap: str,
    keyring: Path,
    key_encryption_key: Path,
    providers: Sequence[str],
    workers: Mapping[str, int],
) -> tuple[Service, ...]:
    """The three stages in the order of the flow: filters, pseudonymisers, and the connectors of each provider."""
    broker = {"KAFKA_BOOTSTRAP": bootstrap}
    keys = {
        "SANCTUAIRE_KEYRING_FILE": str(keyring.resolve()),
        "SANCTUAIRE_KEY_ENCRYPTION_KEY_FILE": str(key_encryption_key.resolve()),
    }
    groups = [("filtering", "filtering", {}), ("pseudonymisation", "pseudonymisation", keys)]
    groups += [("connectors", f"connector-{name}", {"SANCTUAIRE_PROVIDER": name}) for name in providers]
    return tuple(
        Service(name, f"services.{stage}", {**broker, **own, "SANCTUAIRE_GROUP_INSTANCE_ID": name}, group)
        for stage, group, own in groups
        for name in _names(group, workers.get(stage, 1))
    )


def _names(group: str, workers: int) -> tuple[str, ...]:
    """Who is alone needs no number."""
    return (group,) if workers == 1 else tuple(f"{group}-{number}" for number in range(1, workers + 1))
