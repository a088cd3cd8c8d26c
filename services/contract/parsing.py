"""Bytes to payload, as strictly for a platform that writes to Kafka itself as for our own services.

JSON that two readers could take in two ways (a key twice, NaN, another encoding than UTF-8) is refused, and no
refusal quotes what it refuses.
"""

import json
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from services.contract.errors import NotJson, NotThisSchema, TooLarge, explain_invalid

MAX_DEPTH = 32

PayloadType = TypeVar("PayloadType", bound=BaseModel)


def parse_payload(model: type[PayloadType], raw: bytes, limit_bytes: int) -> PayloadType:
    """Parse one payload, or raise TooLarge, NotJson or NotThisSchema."""
    parse_json(raw, limit_bytes)
    return _validated(model, raw)


def parse_one(choose: Callable[[Any], type[PayloadType]], raw: bytes, limit_bytes: int) -> PayloadType:
    """Parse the one of several payloads that its plain JSON shows it to be; refuse as `parse_payload` does."""
    return _validated(choose(parse_json(raw, limit_bytes)), raw)


def _validated(model: type[PayloadType], raw: bytes) -> PayloadType:
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        kind = NotJson if error.errors(include_input=False)[0]["type"] == "json_invalid" else NotThisSchema
        raise kind(explain_invalid(error, declared_names(model))) from None


def parse_json(raw: bytes, limit_bytes: int) -> Any:
    """Parse JSON that can be read in one way only, or raise TooLarge or NotJson."""
    if len(raw) > limit_bytes:
        raise TooLarge(f"payload: over {limit_bytes} bytes")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise NotJson("payload: not JSON in UTF-8") from None
    # Each level opens a bracket, so few brackets cannot nest deep: the walk is for the others.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
        raise NotJson(f"payload: nested deeper than {MAX_DEPTH}")
    # What orjson writes holds no key twice, so bytes equal to it hold none; any other spelling takes the slow proof.
    if orjson.dumps(value) != raw:
        _refuse_repeated_keys(raw)
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_is_deeper(inner, levels - 1) for inner in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_is_deeper(inner, levels - 1) for inner in value)
    return False


def _refuse_repeated_keys(raw: bytes) -> None:
    json.loads(raw, object_pairs_hook=_keys_once)


def _keys_once(pairs: list[tuple[str, Any]]) -> None:
    if len({key for key, _ in pairs}) != len(pairs):
        raise NotJson("payload: an object names a key twice")


@cache
def declared_names(model: type[BaseModel]) -> frozenset[str]:
    """Every field name that the payload declares at any depth: what an explanation may repeat."""
    found: set[str] = set()
    pending: list[Any] = [model.model_json_schema()]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            found.update(node.get("properties", {}))
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return frozenset(found)
