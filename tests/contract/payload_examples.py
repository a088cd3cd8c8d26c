"""The invented examples, and every small fault that can be put into one. Asserts nothing."""

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from ops.rendering.examples import SCHEMAS
from ops.rendering.nouns import NOUNS, Noun

OTHER_TYPES: tuple[Any, ...] = (None, True, 7, 7.5, "?", ["?"], {"?": "?"})

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")

FORMATS = FormatChecker(formats=["date"])


# jsonschema leaves `date-time` to a package that we do not need for one regular expression (RFC 3339 §5.6).
@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(instant: object) -> bool:
    return not isinstance(instant, str) or bool(_RFC_3339.fullmatch(instant) and datetime.fromisoformat(instant))


@dataclass(frozen=True, slots=True)
class Example:
    """One file of schemas/examples."""

    noun: Noun
    path: Path

    @property
    def name(self) -> str:
        return f"{self.noun.slug}-{self.path.stem}"

    def read(self) -> Any:
        return json.loads(self.path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Mutant:
    """An example with one fault, and where it is."""

    fault: str
    value: Any


def all_examples() -> list[Example]:
    folders = [(noun, SCHEMAS / "examples" / noun.slug / str(noun.version)) for noun in NOUNS]
    return [Example(noun, path) for noun, folder in folders for path in sorted(folder.glob("*.json"))]


def schema_of(noun: Noun) -> Any:
    """The committed schema, not a fresh rendering: it is what others read."""
    return json.loads((SCHEMAS / noun.file).read_text(encoding="utf-8"))


def validator_of(noun: Noun) -> Draft202012Validator:
    return Draft202012Validator(schema_of(noun), format_checker=FORMATS)


def with_extra_field(value: Any) -> Iterator[Mutant]:
    """One mutant an object, at every depth."""
    for path, node in _nodes(value):
        if isinstance(node, dict):
            yield Mutant(f"extra field in {_shown(path)}", _replaced(value, path, {**node, "undeclared": "?"}))


def with_missing_field(value: Any) -> Iterator[Mutant]:
    """One mutant a field, at every depth."""
    for path, node in _nodes(value):
        if isinstance(node, dict):
            for name in node:
                rest = {key: inner for key, inner in node.items() if key != name}
                yield Mutant(f"no {_shown((*path, name))}", _replaced(value, path, rest))


def with_wrong_type(value: Any) -> Iterator[Mutant]:
    """Every value in every other JSON type, at every depth."""
    for path, node in _nodes(value):
        for other in OTHER_TYPES:
            if type(other) is not type(node):
                yield Mutant(f"{_shown(path)} is {type(other).__name__}", _replaced(value, path, other))


def _nodes(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    yield path, value
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, node in inner:
        yield from _nodes(node, (*path, step))


def _replaced(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    if not path:
        return new
    changed = copy.deepcopy(value)
    node = changed
    for step in path[:-1]:
        node = node[step]
    node[path[-1]] = new
    return changed


def _shown(path: tuple[str | int, ...]) -> str:
    return ".".join(map(str, path)) or "the payload"
