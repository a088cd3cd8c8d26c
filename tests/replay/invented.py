"""Invented people and contracts: the examples of the schemas, with what a test says differently."""

import copy
from pathlib import Path
from typing import Any

import orjson

from services.contract.changes import Change, parse_change
from services.contract.consents import ConsentDecision
from services.contract.errors import Payload
from services.contract.links import Link
from services.contract.objections import ObjectionDecision
from services.contract.policies import ProviderPolicy
from services.contract.restrictions import RestrictionDecision

EXAMPLES = Path(__file__).parents[2] / "schemas" / "examples"
INE = "999000001AB"
MAIA = INE.encode()


def example(name: str, **differences: Any) -> dict[str, Any]:
    """`change/1/pupil-joins`, with differences merged in at any depth."""
    content: dict[str, Any] = orjson.loads((EXAMPLES / f"{name}.json").read_bytes())
    return merged(content, differences)


def merged(content: dict[str, Any], differences: dict[str, Any]) -> dict[str, Any]:
    whole = copy.deepcopy(content)
    for name, value in differences.items():
        both = isinstance(value, dict) and isinstance(whole.get(name), dict)
        whole[name] = merged(whole[name], value) if both else value
    return whole


def joins(**differences: Any) -> Change:
    return parse_change(orjson.dumps(example("change/1/pupil-joins", **differences)))


def guardian_joins(**differences: Any) -> Change:
    return parse_change(orjson.dumps(example("change/1/guardian-joins", **differences)))


def patch(version: str, /, **attributes: Any) -> Change:
    return parse_change(orjson.dumps(_change("patch", version) | {"attributes": attributes}))


def upsert(version: str, /, **attributes: Any) -> Change:
    return parse_change(orjson.dumps(_change("upsert", version) | {"attributes": attributes}))


def delete(version: str, /, **differences: Any) -> Change:
    return parse_change(orjson.dumps(_change("delete", version) | {"attributes": {}} | differences))


def _change(kind: str, version: str) -> dict[str, Any]:
    names = {"entity": "person", "category": "pupil", "source": "aaf-d99", "id": "999-1001"}
    return {"kind": kind, "version": version, **names}


def consent(party: str, status: str, at: str, **differences: Any) -> ConsentDecision:
    content = example("consent-decision/1/guardian-gives", party=party, status=status, at=at, **differences)
    return ConsentDecision.model_validate_json(orjson.dumps(content))


def objection(status: str, at: str, **differences: Any) -> ObjectionDecision:
    content = example("objection-decision/1/guardian-objects", status=status, at=at, **differences)
    return ObjectionDecision.model_validate_json(orjson.dumps(content))


def restriction(kind: str, status: str, at: str, **differences: Any) -> RestrictionDecision:
    content = example(
        "restriction-decision/1/person-asks-for-restriction", restriction=kind, status=status, at=at, **differences
    )
    return RestrictionDecision.model_validate_json(orjson.dumps(content))


def link(*, on: bool, seq: int, **differences: Any) -> Link:
    return Link.model_validate_json(orjson.dumps(example("link/1/pupil-is-released", on=on, seq=seq, **differences)))


def policy(name: str = "public-task", **differences: Any) -> ProviderPolicy:
    return ProviderPolicy.model_validate_json(orjson.dumps(example(f"provider-policy/1/{name}", **differences)))


def contract_with(name: str = "public-task", **differences: Any) -> list[dict[str, Any]]:
    """The contracts of an example policy, for `policy(contracts=…)`."""
    contracts: list[dict[str, Any]] = example(f"provider-policy/1/{name}")["contracts"]
    return [merged(contract, differences) for contract in contracts]


def bytes_of(payload: Payload) -> bytes:
    return payload.model_dump_json(by_alias=True, exclude_unset=isinstance(payload, Change)).encode()


def for_families(**differences: Any) -> ProviderPolicy:
    """The school service, for guardians too, as a public task; `differences` are the contract's."""
    kinds = ["pupil", "guardian"]
    said = {"kinds": kinds, "required": ["given_name"], "legal_basis": {"act": {"kinds": kinds}}}
    return policy(contracts=contract_with(**merged(said, differences)))
