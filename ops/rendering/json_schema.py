"""A payload's model as JSON Schema 2020-12 that every validator reads alike. Opens nothing but the models' source."""

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ops.rendering.nouns import Noun

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema(noun: Noun) -> dict[str, Any]:
    """The schema of one payload as it is on the wire, references inside it only."""
    schema = noun.adapter.json_schema(schema_generator=_WireSchema)
    for node in list(_objects(schema)):
        _require_the_tag(node, schema)
        _shorten_nullable(node)
        if isinstance(node.get("pattern"), str):
            node["pattern"] = _portable(node["pattern"])
        if "patternProperties" in node:
            node["additionalProperties"] = False  # a key of any other form is refused, not ignored
    head = {
        "$schema": DIALECT,
        "$id": noun.urn,
        "title": noun.title,
        "description": noun.description or schema.get("description", ""),
    }
    return head | {name: value for name, value in schema.items() if name not in head}


class _WireSchema(GenerateJsonSchema):
    """Pydantic's rendering with the fields' docstrings, and without titles and empty defaults, which say nothing."""

    schema_dialect = DIALECT

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  # pydantic's signature
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        rendered = super().default_schema(schema)
        # An attribute that is absent was not said at all; "default: null" would claim that it was.
        if rendered.get("default", ...) in (None, [], {}):
            del rendered["default"]
        return rendered

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        rendered = super().model_schema(schema)
        for name, text in _field_docstrings(schema["cls"]):
            field: JsonSchemaValue | None = rendered.get("properties", {}).get(name)
            if field is not None:
                field.setdefault("description", text)
        return rendered


def _field_docstrings(model: type[BaseModel]) -> Iterator[tuple[str, str]]:
    """Name on the wire and docstring of each field that has one, the nearest class first."""
    for owner in model.__mro__[: model.__mro__.index(BaseModel)]:
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        statements = body.body if isinstance(body, ast.ClassDef) else []
        for field, after in pairwise(statements):
            match field, after:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str() as text)),
                ) if name in model.model_fields:
                    yield model.model_fields[name].alias or name, inspect.cleandoc(text)


def _require_the_tag(node: dict[str, Any], schema: dict[str, Any]) -> None:
    """Say in plain JSON Schema what `discriminator`, an OpenAPI word, says: the tag is never left out."""
    tag = node.pop("discriminator", None)
    for branch in node.get("oneOf", ()) if tag else ():
        model = schema["$defs"][branch["$ref"].removeprefix("#/$defs/")]
        model["required"] = sorted({*model["required"], tag["propertyName"]}, key=list(model["properties"]).index)
        model["properties"][tag["propertyName"]].pop("default", None)


def _shorten_nullable(node: dict[str, Any]) -> None:
    """`anyOf: [{type: string, …}, {type: null}]` → `type: [string, null], …`, where the two say the same."""
    match node.get("anyOf"):
        case [{"type": str() as kind, **rest}, {"type": "null"}] if not rest.keys() & {"enum", "const"}:
            del node["anyOf"]
            node["type"] = [kind, "null"]
            node.update((str(name), value) for name, value in rest.items())


def _portable(pattern: str) -> str:
    r"""The same pattern in the words that ECMA-262, Python and Rust share (`\p{Cc}` is Unicode's C0 and C1)."""
    return pattern.replace(r"\p{Cc}", r"\x00-\x1f\x7f-\x9f")


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    if isinstance(node, dict | list):
        for inner in node.values() if isinstance(node, dict) else node:
            yield from _objects(inner)
