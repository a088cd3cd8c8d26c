"""Policies as an operator writes them: `perimeter.yaml`, and beside it one file a provider.

A set is read whole or refused whole: half a set decides what nobody approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import orjson

from ops.policy_yaml import parse_yaml
from services.contract.errors import AmbiguousPolicy, NotThisFormat, NotThisSchema, SanctuaireError, TooLarge
from services.contract.parsing import parse_payload
from services.contract.policies import ProviderPolicy, ambiguities, policy_digest

PERIMETER_FILE = "perimeter.yaml"
MAX_POLICY_BYTES = 512 * 1024
POLICIES_FOLDER = Path(__file__).parent / "policies"
"""The policies that come with the project, of invented providers."""

Policies = Mapping[str, ProviderPolicy]
State = Literal["new", "changed", "unchanged", "left"]


def read_policies(folder: Path) -> dict[str, ProviderPolicy]:
    """The set in a folder, every policy at version 1, by provider.

    Raises:
        NotThisFormat, NotThisSchema, TooLarge: which file, where in it, what kind of fault.
        AmbiguousPolicy: two readers could decide differently.
    """
    shared = _read(folder / PERIMETER_FILE)
    if set(shared) != {"perimeter", "controller"}:
        raise NotThisSchema(f"{PERIMETER_FILE}: it holds `perimeter` and `controller`, and nothing else")
    files = sorted(path for path in folder.glob("*.yaml") if path.name != PERIMETER_FILE)
    if not files:
        raise NotThisFormat(f"no provider's file beside {PERIMETER_FILE}; write one, <provider>.yaml")
    policies = {path.stem: _policy(path, shared) for path in files}
    refuse_ambiguous(policies)
    return policies


def refuse_ambiguous(policies: Policies) -> None:
    if found := ambiguities(policies):
        raise AmbiguousPolicy("; ".join(found))


def provider_names(folder: Path) -> tuple[str, ...]:
    """The providers of a set, for whom there are topics to make."""
    return tuple(read_policies(folder))


def _policy(path: Path, shared: Mapping[str, Any]) -> ProviderPolicy:
    content = _read(path)
    if said := sorted({"version", *shared} & set(content)):
        raise NotThisSchema(f"{path.name}: {', '.join(said)} is not for a provider's file to say")
    try:
        raw = orjson.dumps({**content, **shared, "version": 1})
        return parse_payload(ProviderPolicy, raw, MAX_POLICY_BYTES)
    except orjson.JSONEncodeError:
        raise NotThisSchema(f"{path.name}: a key that is not text") from None
    except SanctuaireError as error:
        raise type(error)(f"{path.name}: {error}") from None


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_POLICY_BYTES + 1)
        content = parse_yaml(raw.decode("utf-8"))
    except FileNotFoundError:
        raise NotThisFormat(f"{path.name}: no such file in the folder") from None
    except OSError as error:
        raise NotThisFormat(f"{path.name}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise NotThisFormat(f"{path.name}: not UTF-8") from None
    except NotThisFormat as error:
        raise NotThisFormat(f"{path.name}: {error}") from None
    if len(raw) > MAX_POLICY_BYTES:
        raise TooLarge(f"{path.name}: over {MAX_POLICY_BYTES} bytes")
    if not isinstance(content, dict):
        raise NotThisSchema(f"{path.name}: a mapping is needed")
    return content


@dataclass(frozen=True, slots=True)
class Step:
    """What applying does to one provider's policy; `left` is in force and not in the folder, and stays."""

    policy: ProviderPolicy
    digest: str
    state: State


def plan(wanted: Policies, in_force: Policies) -> list[Step]:
    """Number each policy: one more than what is in force where its content differs, else the same.

    Raises:
        AmbiguousPolicy: the set that would then be in force, policies left included, is ambiguous.
    """
    refuse_ambiguous({**in_force, **wanted})
    steps = []
    for provider, policy in sorted({**in_force, **wanted}.items()):
        old, digest = in_force.get(provider), policy_digest(policy)
        if provider not in wanted:
            steps.append(Step(policy, digest, "left"))
        elif old is None:
            steps.append(Step(policy, digest, "new"))
        elif policy_digest(old) == digest:
            steps.append(Step(old, digest, "unchanged"))
        else:
            steps.append(Step(policy.model_copy(update={"version": old.version + 1}), digest, "changed"))
    return steps
