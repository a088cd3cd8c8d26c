"""Invented people and contracts: the examples of the schemas, with what a test says differently."""

import copy
from pathlib import Path
from typing import Any

import orjson

from services.contract.changes import Change, parse_change
from services.contract.consents import ConsentDecision
from services.contract.policies import ProviderPolicy

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


def policy(name: str = "public-task", **differences: Any) -> ProviderPolicy:
    return ProviderPolicy.model_validate_json(orjson.dumps(example(f"provider-policy/1/{name}", **differences)))


def contract_with(name: str = "public-task", **differences: Any) -> list[dict[str, Any]]:
    """The contracts of an example policy, for `policy(contracts=…)`."""
    contracts: list[dict[str, Any]] = example(f"provider-policy/1/{name}")["contracts"]
    return [merged(contract, differences) for contract in contracts]


def bytes_of(payload: Change | ConsentDecision | ProviderPolicy) -> bytes:
    return payload.model_dump_json(by_alias=True, exclude_unset=isinstance(payload, Change)).encode()
