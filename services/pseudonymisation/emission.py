"""A release, a withdrawal or a restriction as a mapping, at little cost where it is like one that was checked before.

Both topics have one writer, ours, which writes first what many emissions share: their manner. A manner is sound once
the strict model has said so, and is known again by its bytes; whom an emission is about, its `seq` and its fields are
looked at every time. Whatever is off in the least goes to the strict model, which alone says what is wrong with it.
"""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import orjson

from services.contract.naming import NamedBy
from services.contract.parsing import parse_json, parse_payload
from services.contract.releases import Emission, Release, Renaming, Restriction, Withdrawal

MAX_EMISSION_BYTES: Final = 512 * 1024
SEQ: Final = b"q/"
PARKED: Final = b"p/"
"""Where the state keeps, for `<provider>/<contract>/<pseudonym>`, the last `seq`, and a release that was refused.

The `seq` is below nought where nothing lives under that name: all that was sent by it has been taken back since.
"""
_LONGEST: Final = 160
"""Characters of a subject, and of an identifier (releases.py, naming.py)."""

_PARTS_OF_RELEASE: Final = len(Release.model_fields)
_PARTS_OF_WITHDRAWAL: Final = len(Withdrawal.model_fields)
_PARTS_OF_RESTRICTION: Final = len(Restriction.model_fields)
_PARTS_OF_RENAMING: Final = len(Renaming.model_fields)
_PARTS_OF_NAME: Final = len(NamedBy.model_fields)

Manner = bytes
"""How every emission begins that shares all but the subject, its identifier, `seq` and the fields."""
Known = TypeVar("Known")

_SHARED = (
    "provider",
    "contract",
    "purpose_family",
    "policy",
    "policy_version",
    "key_serial",
    "kind",
    "source",
    "reasons",
    "restricted",
    "renamed",
)
_END: Final = b'"value":'
"""Of the identifier. No text holds it: a quotation mark within one is written with a backslash."""


def is_release(emission: Mapping[str, Any]) -> bool:
    """Told by content: either topic may carry either."""
    return "fields" in emission


def is_restriction(emission: Mapping[str, Any]) -> bool:
    """As above."""
    return "restricted" in emission


def is_renaming(emission: Mapping[str, Any]) -> bool:
    """As above."""
    return "renamed" in emission


def manner_of(emission: Mapping[str, Any]) -> Manner:
    """The bytes with which our own writer begins it."""
    shared = {name: emission[name] for name in _SHARED if name in emission}
    named_by = {name: emission["named_by"][name] for name in NamedBy.model_fields if name != "value"}
    begun = orjson.dumps(shared | {"named_by": {**named_by, "value": None}})
    return begun.removesuffix(_END + b"null}}")


def recognise(raw: bytes, key: bytes | None, known: Mapping[Manner, Known]) -> tuple[Mapping[str, Any], Known] | None:
    """An emission of a known manner that the strict model would take as well; null where that is to be asked.

    Two things are not looked for again, since the filter alone writes here and orjson writes neither: a key that is
    there twice, and a value that nests deep.
    """
    found = known.get(raw[: raw.find(_END)])
    if found is None or len(raw) > MAX_EMISSION_BYTES:
        return None
    try:
        emission = orjson.loads(raw)
        return (emission, found) if _is_sound(emission, key) else None
    except (ValueError, LookupError, TypeError):
        return None


def _is_sound(emission: Mapping[str, Any], key: bytes | None) -> bool:
    """What a manner leaves open."""
    named_by, subject, seq = emission["named_by"], emission["subject"], emission["seq"]
    value = named_by["value"]
    if "fields" in emission:
        whole = len(emission) == _PARTS_OF_RELEASE and type(emission["fields"]) is dict
    elif "restricted" in emission:
        whole = len(emission) == _PARTS_OF_RESTRICTION and emission["restricted"] is True
    elif "renamed" in emission:
        whole = len(emission) == _PARTS_OF_RENAMING and emission["renamed"] is True
    else:
        whole = len(emission) == _PARTS_OF_WITHDRAWAL
    return (
        whole
        and len(named_by) == _PARTS_OF_NAME
        and type(seq) is int
        and seq >= 1
        and (type(value) is type(subject) is str)
        and 0 < len(value) <= _LONGEST
        and 0 < len(subject) <= _LONGEST
        and subject.encode() == key
    )


def read_strictly(raw: bytes) -> Mapping[str, Any]:
    """Read what `recognise` does not.

    Raises:
        Unreadable: it is neither a release, nor a withdrawal, nor a restriction, nor a renaming.
    """
    content = parse_json(raw, MAX_EMISSION_BYTES)
    model: type[Emission] = Release
    if isinstance(content, dict) and "reasons" in content and not is_release(content):
        model = Restriction if is_restriction(content) else Withdrawal
    elif isinstance(content, dict) and is_renaming(content):
        model = Renaming
    return parse_payload(model, raw, MAX_EMISSION_BYTES).model_dump()
