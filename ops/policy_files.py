"""Policies as an operator writes them: `perimeter.yaml`, `register.yaml`, and beside them one file a provider.

A set is read whole or refused whole: half a set decides what nobody approved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import orjson

from ops.policy_yaml import parse_yaml
from ops.register_files import REGISTER_FILE, RegisterFile, with_entries
from services.contract.errors import AmbiguousPolicy, NotThisFormat, NotThisSchema, SanctuaireError, TooLarge
from services.contract.parsing import PayloadType, parse_payload
from services.contract.policies import ProviderPolicy, ambiguities, policy_digest
from services.contract.register import Register

PERIMETER_FILE = "perimeter.yaml"
MAX_POLICY_BYTES = 512 * 1024
POLICIES_FOLDER = Path(__file__).parent / "policies"
"""The policies that come with the project, of invented providers, and the register of today's law."""

Files = Mapping[str, bytes]
"""Every YAML file of a folder by its name: what is read, and what is signed."""
Policies = Mapping[str, ProviderPolicy]
State = Literal["new", "changed", "unchanged", "left"]


def read_policies(folder: Path) -> dict[str, ProviderPolicy]:
    """The set in a folder; see `parse_policies`."""
    return parse_policies(read_files(folder))


def read_files(folder: Path) -> dict[str, bytes]:
    """The files of a set, each read once: what is judged, signed and applied are the same octets.

    Raises:
        NotThisFormat, TooLarge: which file cannot be read.
    """
    names = {PERIMETER_FILE, REGISTER_FILE, *(path.name for path in folder.glob("*.yaml"))}
    return {name: _octets(folder / name) for name in sorted(names)}


def parse_policies(files: Files) -> dict[str, ProviderPolicy]:
    """Every policy of a set at version 1, by provider.

    Raises:
        NotThisFormat, NotThisSchema: which file, where in it, what kind of fault.
        AmbiguousPolicy: two readers could decide differently.
    """
    shared = _parse(PERIMETER_FILE, files)
    if set(shared) != {"perimeter", "controller"}:
        raise NotThisSchema(f"{PERIMETER_FILE}: it holds `perimeter` and `controller`, and nothing else")
    names = [name for name in files if name not in {PERIMETER_FILE, REGISTER_FILE}]
    if not names:
        raise NotThisFormat(f"no provider's file beside {PERIMETER_FILE}; write one, <provider>.yaml")
    register = _model(RegisterFile, REGISTER_FILE, _parse(REGISTER_FILE, files))
    shared["register"] = register.law().model_dump(mode="json", by_alias=True)
    policies = {name.removesuffix(".yaml"): _policy(name, files, shared, register) for name in names}
    refuse_ambiguous(policies)
    return policies


def read_register(path: Path) -> Register:
    """The law of places alone, from a `register.yaml`.

    Raises:
        NotThisFormat, NotThisSchema, AmbiguousPolicy: where in it, what kind of fault.
    """
    register = _model(RegisterFile, path.name, _parse(path.name, {path.name: _octets(path)})).law()
    if found := list(register.contradictions()):
        raise AmbiguousPolicy("; ".join(found))
    return register


def refuse_ambiguous(policies: Policies) -> None:
    if found := ambiguities(policies):
        raise AmbiguousPolicy("; ".join(found))


def provider_names(folder: Path) -> tuple[str, ...]:
    """The providers of a set, for whom there are topics to make."""
    return tuple(read_policies(folder))


def _policy(name: str, files: Files, shared: Mapping[str, Any], register: RegisterFile) -> ProviderPolicy:
    content = _parse(name, files)
    if said := sorted({"version", "in_force_from", "staged", *shared} & set(content)):
        raise NotThisSchema(f"{name}: {', '.join(said)} is not for a provider's file to say")
    try:
        places = with_entries(content.get("places"), name.removesuffix(".yaml"), register)
    except NotThisSchema as error:
        raise NotThisSchema(f"{name}: {error}") from None
    return _model(ProviderPolicy, name, {**content, **shared, "places": places, "version": 1})


def _model(model: type[PayloadType], name: str, content: Mapping[str, Any]) -> PayloadType:
    try:
        return parse_payload(model, orjson.dumps(content), MAX_POLICY_BYTES)
    except orjson.JSONEncodeError:
        raise NotThisSchema(f"{name}: a key that is not text") from None
    except SanctuaireError as error:
        raise type(error)(f"{name}: {error}") from None


def _octets(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_POLICY_BYTES + 1)
    except FileNotFoundError:
        raise NotThisFormat(f"{path.name}: no such file in the folder") from None
    except OSError as error:
        raise NotThisFormat(f"{path.name}: cannot be read ({error.strerror})") from None
    if len(raw) > MAX_POLICY_BYTES:
        raise TooLarge(f"{path.name}: over {MAX_POLICY_BYTES} bytes")
    return raw


def _parse(name: str, files: Files) -> dict[str, Any]:
    try:
        content = parse_yaml(files[name].decode("utf-8"))
    except UnicodeDecodeError:
        raise NotThisFormat(f"{name}: not UTF-8") from None
    except NotThisFormat as error:
        raise NotThisFormat(f"{name}: {error}") from None
    if not isinstance(content, dict):
        raise NotThisSchema(f"{name}: a mapping is needed")
    return content


@dataclass(frozen=True, slots=True)
class Step:
    """What applying does to one provider's policy; `left` is in force and not in the folder, and stays."""

    policy: ProviderPolicy
    digest: str
    state: State


def plan(wanted: Policies, in_force: Policies, day: date) -> list[Step]:
    """Number each policy: one more than what is in force where its content differs, else the same.

    `day` is that on which it would be done.

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
            steps.append(Step(policy.model_copy(update={"in_force_from": day}), digest, "new"))
        elif policy_digest(old) == digest:
            steps.append(Step(old, digest, "unchanged"))
        else:
            update = {"version": old.version + 1, "in_force_from": day}
            steps.append(Step(policy.model_copy(update=update), digest, "changed"))
    return steps
