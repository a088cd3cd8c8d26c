"""A change as the filter folds it: what it says as JSON, in the order of the model.

Whatever is spelt as the model spells it is judged by its form alone, which the model's own types give; all else is for
the model to judge. A directory of a nation says everything 83 million times, and the model costs as much as deciding.
"""

import re
from datetime import date
from functools import lru_cache
from typing import Any, Final, get_args

import orjson
from pydantic.fields import FieldInfo

from services.contract.attributes import (
    Attributes,
    ClassCode,
    Function,
    GuardianLink,
    LocalId,
    TaughtDivision,
    TaughtGroup,
)
from services.contract.changes import (
    ENTITY_OF,
    MAX_CHANGE_BYTES,
    NAMES_OF,
    Category,
    Change,
    Entity,
    Kind,
    Source,
    SourceName,
    Version,
    parse_change,
)
from services.contract.errors import Payload


class ToldChange:
    """A change that was accepted; `said` holds exactly the attributes that it names, as JSON."""

    def __init__(  # noqa: PLR0913, PLR0917  # the parts of a change
        self, kind: Kind, entity: Entity, category: Category, source: str, name: str, version: str, said: dict[str, Any]
    ) -> None:
        self.kind, self.entity, self.category = kind, entity, category
        self.source, self.id, self.version, self.said = source, name, version, said


def read_change(raw: bytes) -> ToldChange:
    """Parse one change; refuse as `parse_change` does."""
    return quickly(raw) or told_by(parse_change(raw))


def told_by(change: Change) -> ToldChange:
    """What a change says, in the order of the model."""
    said: dict[str, Any] = orjson.loads(change.attributes.model_dump_json(exclude_unset=True))
    return ToldChange(
        change.kind, change.entity, change.category, change.source, change.id, change.version, said
    )  # fmt: skip


_PARTS: Final = tuple(Change.model_fields)
_SHAPES: Final = (_PARTS[:-1], _PARTS)
_KINDS: Final = get_args(Kind)
_SOURCE: Final = re.compile(get_args(Source)[1].pattern)
_ID: Final = re.compile(r"[A-Za-z0-9._:/+-]{1,128}")
"""Of the ids that there may be, those without a letter of other alphabets or a blank."""
_VERSION: Final = re.compile(get_args(Version)[1].pattern)
_NAME: Final = re.compile(get_args(SourceName)[1].pattern)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def quickly(raw: bytes) -> ToldChange | None:
    """What is spelt as our own tools write it; null for anything that only the model can judge."""
    if len(raw) > MAX_CHANGE_BYTES:
        return None
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    # Bytes equal to what orjson writes hold no key twice.
    if not isinstance(content, dict) or tuple(content) not in _SHAPES or orjson.dumps(content) != raw:
        return None
    beside = content.pop(_PARTS[-1], {})
    kind, entity, category, source, name, version, said = content.values()
    if (
        isinstance(said, dict)
        and isinstance(category, str)
        and isinstance(source, str)
        and isinstance(name, str)
        and isinstance(version, str)
        and kind in _KINDS
        and (kind != "delete" or not (said or beside))
        and category in ENTITY_OF
        and ENTITY_OF[category] == entity
        and _SOURCE.fullmatch(source)
        and _ID.fullmatch(name)
        and _VERSION.fullmatch(version)
        and NAMES_OF[entity].issuperset(said)
        and _has_form(Attributes, said)
        and _are_named(beside)
    ):
        return ToldChange(kind, entity, category, source, name, version, said)
    return None


def _are_named(beside: Any) -> bool:
    """Whether these are attributes of the platform's own: texts under its names for them."""
    return isinstance(beside, dict) and all(
        bool(_NAME.fullmatch(name)) and _are_texts(texts) for name, texts in beside.items()
    )


TEXT: Final = 0
OPTIONAL_TEXT: Final = 1
TEXTS: Final = 2
FLAG: Final = 3
DAY: Final = 4
ID: Final = 5
OBJECTS: Final = 6
"""And above: of which of `_MODELS`."""
_MODELS: Final = (ClassCode, GuardianLink, Function, TaughtDivision, TaughtGroup)


def _has_form(model: type[Payload], said: dict[str, Any]) -> bool:
    forms = _forms(model, tuple(said))
    return forms is not None and all(_is(value, forms[place]) for place, value in enumerate(said.values()))


def _is(value: Any, form: int) -> bool:
    if form <= OPTIONAL_TEXT:
        return isinstance(value, str) or (value is None and form == OPTIONAL_TEXT)
    if form == TEXTS:
        return _are_texts(value)
    if form >= OBJECTS:
        return _are_objects(_MODELS[form - OBJECTS], value)
    if form == ID:
        return isinstance(value, str) and bool(_ID.fullmatch(value))
    return value is None or (isinstance(value, bool) if form == FLAG else _is_day(value))


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _are_objects(model: type[Payload], value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and _has_form(model, item) for item in value)


def _is_day(value: Any) -> bool:
    return isinstance(value, str) and _is_date(value)


@lru_cache(maxsize=8192)
def _is_date(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def _forms(model: type[Payload], names: tuple[str, ...]) -> list[int] | None:
    """The form of each; null unless they stand in the order of the model and none that must be there is absent.

    Platforms write few different sets of names.
    """
    fields = model.model_fields
    must = [name for name, field in fields.items() if field.is_required()]
    if [name for name in fields if name in names] != list(names) or any(name not in names for name in must):
        return None
    return [_form(fields[name]) for name in names]


def _form(field: FieldInfo) -> int:
    options: tuple[Any, ...] = get_args(field.annotation)
    if field.metadata:
        if field.metadata != list(get_args(LocalId)[1:]):
            raise TypeError("a constraint of which this module knows nothing")
        return ID
    if not options:
        return TEXT
    if Ellipsis in options:
        return TEXTS if options[0] is str else OBJECTS + _MODELS.index(options[0])
    return {str: OPTIONAL_TEXT, bool: FLAG, date: DAY}[options[0]]
