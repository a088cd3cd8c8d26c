"""What the OpenAPI document says of a path. Pure; `schemas/openapi.json` is rendered from it."""

from typing import Any, Final

from services.ingress.intake import JSON, LINES, MAX_ITEMS, Answer, Intake
from services.ingress.refusals import MEANINGS

PROBLEM: Final = "application/problem+json"
SERVICE_UNAVAILABLE: Final = 503


def described(intake: Intake[Any], name: str, summary: str) -> dict[str, Any]:
    """What the document says of one path: the schema of what is posted is the one beside it."""
    schema = {"$ref": f"./{intake.payload}.v1.schema.json"}
    many = {"type": "array", "items": schema, "minItems": 1, "maxItems": MAX_ITEMS}
    taken = {
        202: {"description": "All taken."},
        207: {"model": Answer, "description": "Some refused; the others taken."},
    }
    return {
        "operation_id": name,
        "summary": summary,
        "status_code": 202,
        "response_model": Answer,
        "responses": taken | {status: _refusals(status) for status in (401, 403, 408, 413, 415, 422, 500, 503)},
        "openapi_extra": {
            "requestBody": {
                "required": True,
                "content": {JSON: {"schema": {"oneOf": [schema, many]}}, LINES: {"schema": schema}},
            }
        },
    }


def _refusals(status: int) -> dict[str, Any]:
    """Every code that comes with a status; nothing is taken then."""
    codes = [f"`{code}`: {meaning.title}" for code, meaning in MEANINGS.items() if meaning.status == status]
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    described: dict[str, Any] = {"description": " ".join(codes), "content": {PROBLEM: problem}}
    if status == SERVICE_UNAVAILABLE:
        described["headers"] = {"Retry-After": {"description": "In so many seconds.", "schema": {"type": "integer"}}}
    return described
