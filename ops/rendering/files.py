"""Every rendered file and part of a file, and the one function that writes or checks them all."""

import json
from pathlib import Path

from ops.rendering.asyncapi import asyncapi
from ops.rendering.diagram import flow_diagram
from ops.rendering.examples import SCHEMAS
from ops.rendering.json_schema import json_schema
from ops.rendering.markers import replace_between
from ops.rendering.nouns import NOUNS
from ops.rendering.tables import payloads_table, topics_table

ROOT = SCHEMAS.parent


def render(*, check: bool) -> list[str]:
    """Write what differs from the contract, or with `check` only name it; paths from the root of the repository.

    Raises:
        LookupError: a file that holds a rendered part has lost its marks.
    """
    rendered = {path: text for path, text in _rendered().items() if _read(path) != text}
    if check:
        stray = {*SCHEMAS.glob("*.schema.json")} - {SCHEMAS / noun.file for noun in NOUNS}
        return sorted(str(path.relative_to(ROOT)) for path in {*rendered, *stray})
    for path, text in rendered.items():
        path.write_text(text, encoding="utf-8")
    return sorted(str(path.relative_to(ROOT)) for path in rendered)


def _rendered() -> dict[Path, str]:
    files = {SCHEMAS / noun.file: _json(json_schema(noun)) for noun in NOUNS}
    files[SCHEMAS / "asyncapi.yaml"] = asyncapi()
    guide = SCHEMAS / "README.md"
    with_topics = replace_between(_read(guide) or "", "topics", topics_table())
    files[guide] = replace_between(with_topics, "payloads", payloads_table())
    readme = ROOT / "README.md"
    if (text := _read(readme)) is not None:
        files[readme] = replace_between(text, "flow", flow_diagram())
    return files


def _json(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
