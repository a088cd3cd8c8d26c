"""The invented examples under schemas/examples, by payload and case. Writes nothing."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from ops.rendering.nouns import Noun

SCHEMAS = Path(__file__).parents[2] / "schemas"


def examples_folder(noun: Noun) -> Path:
    """Where the examples of one payload lie, one file a case."""
    return SCHEMAS / "examples" / noun.slug / str(noun.version)


def examples_of(noun: Noun, payload: type[BaseModel]) -> dict[str, Any]:
    """Case → example, of those that are this payload (one file of `operation` is an upsert, the next a delete)."""
    adapter = TypeAdapter(payload)
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(examples_folder(noun).glob("*.json"))}
    return {case: json.loads(text) for case, text in texts.items() if _is(adapter, text)}


def _is(adapter: TypeAdapter[Any], text: str) -> bool:
    try:
        adapter.validate_json(text)
    except ValidationError:
        return False
    return True
