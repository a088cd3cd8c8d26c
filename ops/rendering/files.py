"""Every rendered file and part of a file, and the one function that writes or checks them all."""

import json
from pathlib import Path

from ops.rendering.asyncapi import asyncapi
from ops.rendering.diagram import flow_diagram
from ops.rendering.examples import SCHEMAS
from ops.rendering.frozen import changed_since_published
from ops.rendering.json_schema import json_schema
from ops.rendering.manual import rules_page
from ops.rendering.markers import replace_between
from ops.rendering.nouns import NOUNS
from ops.rendering.openapi import openapi
from ops.rendering.runtime_lock import runtime_lock
from ops.rendering.tables import payloads_table, topics_table

ROOT = SCHEMAS.parent


def render(root: Path = ROOT, *, check: bool) -> list[str]:
    """Write what differs from the contract, or with `check` only name it; paths from the root of the repository.

    `check` also names a schema that no payload has, and a published one that is no longer what was published:
    neither can be mended by writing.

    Raises:
        LookupError: a file that holds a rendered part has lost its marks.
    """
    rendered = {path: text for path, text in _rendered(root).items() if _read(path) != text}
    if check:
        schemas = root / "schemas"
        stray = {*schemas.glob("*.schema.json")} - {schemas / noun.file for noun in NOUNS}
        unfrozen = {schemas / name for name in changed_since_published(schemas)}
        return sorted(str(path.relative_to(root)) for path in {*rendered, *stray, *unfrozen})
    for path, text in rendered.items():
        path.write_text(text, encoding="utf-8")
    return sorted(str(path.relative_to(root)) for path in rendered)


def _rendered(root: Path) -> dict[Path, str]:
    schemas = root / "schemas"
    files = {schemas / noun.file: _json(json_schema(noun)) for noun in NOUNS}
    files[schemas / "asyncapi.yaml"] = asyncapi()
    files[schemas / "openapi.json"] = openapi()
    guide = schemas / "README.md"
    with_topics = replace_between(_read(guide) or "", "topics", topics_table())
    files[guide] = replace_between(with_topics, "payloads", payloads_table())
    if (lock := _read(root / "requirements.lock")) is not None:
        files[root / "ops" / "images" / "runtime.lock"] = runtime_lock(lock)
    readme = root / "README.md"
    if (text := _read(readme)) is not None:
        files[readme] = replace_between(text, "flow", flow_diagram())
    manual = root / "ops" / "manual" / "rules.md"
    if (text := _read(manual)) is not None:
        files[manual] = replace_between(text, "rules", rules_page(root))
    return files


def _json(schema: object) -> str:
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None
