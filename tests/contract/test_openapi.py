import json
from collections.abc import Iterator
from typing import Any

import pytest

from ops.rendering.files import ROOT
from services.ingress.refusals import MEANINGS

SCHEMAS = ROOT / "schemas"
DOCUMENT: dict[str, Any] = json.loads((SCHEMAS / "openapi.json").read_text(encoding="utf-8"))
PATHS = {"/v1/consents": "consent-decision", "/v1/changes": "change"}


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from nodes(inner)


def test_document_is_openapi_3_1_and_describes_what_is_posted_and_nothing_else() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert {path: list(item) for path, item in DOCUMENT["paths"].items()} == {path: ["post"] for path in PATHS}


@pytest.mark.parametrize(("path", "payload"), PATHS.items())
def test_what_is_posted_is_the_payload_of_the_schema_beside_it(path: str, payload: str) -> None:
    body = DOCUMENT["paths"][path]["post"]["requestBody"]
    schema = {"$ref": f"./{payload}.v1.schema.json"}

    assert body["required"] is True
    assert body["content"]["application/x-ndjson"]["schema"] == schema
    one, many = body["content"]["application/json"]["schema"]["oneOf"]
    assert (one, many["items"], many["maxItems"]) == (schema, schema, 1000)


@pytest.mark.parametrize("path", PATHS)
def test_every_code_is_described_under_its_status(path: str) -> None:
    responses = DOCUMENT["paths"][path]["post"]["responses"]

    # A path that is not there, or another method, is no answer of an operation.
    elsewhere = {"not-found", "method-not-allowed"}
    assert sorted(responses) == ["202", "207", "401", "403", "408", "413", "415", "422", "500", "503"]
    for code, meaning in MEANINGS.items():
        if code not in elsewhere:
            assert f"`{code}`" in responses[str(meaning.status)]["description"]


@pytest.mark.parametrize("path", PATHS)
def test_only_a_platform_with_its_token_may_post(path: str) -> None:
    (requirement,) = DOCUMENT["paths"][path]["post"]["security"]

    (scheme,) = requirement
    assert DOCUMENT["components"]["securitySchemes"][scheme]["type"] == "http"
    assert DOCUMENT["components"]["securitySchemes"][scheme]["scheme"] == "bearer"


def test_every_reference_leads_somewhere() -> None:
    references = {node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node}
    inside = {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}

    assert references
    for reference in references - inside:
        assert (SCHEMAS / reference).is_file()


def test_every_described_answer_is_used() -> None:
    used = {node["$ref"].rpartition("/")[2] for node in nodes(DOCUMENT) if "$ref" in node}

    assert set(DOCUMENT["components"]["schemas"]) <= used
