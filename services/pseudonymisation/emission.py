"""A release or a withdrawal as a mapping, at little cost where it is like one that was checked before.

Both topics have one writer, ours. Whom an emission is about, its `seq` and its fields differ from record to record
and are looked at every time; all the rest, its manner, takes few values, and a manner is sound once the strict model
has said so. Whatever is off in the least goes to the strict model, which alone says what is wrong with it.
"""

from collections.abc import Mapping
from operator import itemgetter
from typing import Any, TypeVar

import orjson

from services.contract.naming import NamedBy
from services.contract.parsing import parse_json, parse_payload
from services.contract.releases import Emission, Release, Withdrawal

MAX_EMISSION_BYTES = 512 * 1024
SEQ = b"q/"
PARKED = b"p/"
"""Where the state keeps, for `<provider>/<contract>/<pseudonym>`, the last `seq`, and a release that was refused."""
_LONGEST = 160
"""Characters of a subject, and of an identifier (releases.py, naming.py)."""

_PARTS_OF_RELEASE, _PARTS_OF_WITHDRAWAL = len(Release.model_fields), len(Withdrawal.model_fields)
_PARTS_OF_NAME = len(NamedBy.model_fields)

Manner = tuple[Any, ...]
"""What one emission shares with many others."""
Known = TypeVar("Known")

_SHARED = ("provider", "contract", "purpose_family", "policy", "policy_version")
_of_release = itemgetter(*_SHARED, "kind", "source")
_of_withdrawal = itemgetter(*_SHARED)
_of_name = itemgetter("entity_class", "namespace", "type")


def is_release(emission: Mapping[str, Any]) -> bool:
    """Told by content: either topic may carry either."""
    return "fields" in emission


def manner_of(emission: Mapping[str, Any]) -> Manner:
    """Everything but the subject, its identifier, `seq` and the fields; LookupError or TypeError if not all there."""
    name: Manner = _of_name(emission["named_by"])
    if "fields" in emission:
        return (*name, *_of_release(emission))
    return (*name, *_of_withdrawal(emission), tuple(emission["reasons"]))


def recognise(raw: bytes, key: bytes | None, known: Mapping[Manner, Known]) -> tuple[Mapping[str, Any], Known] | None:
    """An emission of a known manner that the strict model would take as well; null where that is to be asked.

    Two things are not looked for again, since the filter alone writes here and orjson writes neither: a key that is
    there twice, and a value that nests deep.
    """
    if len(raw) > MAX_EMISSION_BYTES:
        return None
    try:
        emission = orjson.loads(raw)
        found = known[manner_of(emission)]
        return (emission, found) if _is_sound(emission, key) else None
    except (ValueError, LookupError, TypeError):
        return None


def _is_sound(emission: Mapping[str, Any], key: bytes | None) -> bool:
    """What a manner leaves open. The version is in question again because true and 1.0 equal 1."""
    named_by, subject, seq = emission["named_by"], emission["subject"], emission["seq"]
    value = named_by["value"]
    if "fields" in emission:
        whole = len(emission) == _PARTS_OF_RELEASE and type(emission["fields"]) is dict
    else:
        whole = len(emission) == _PARTS_OF_WITHDRAWAL
    return (
        whole
        and len(named_by) == _PARTS_OF_NAME
        and (type(seq) is type(emission["policy_version"]) is int)
        and seq >= 1
        and (type(value) is type(subject) is str)
        and 0 < len(value) <= _LONGEST
        and 0 < len(subject) <= _LONGEST
        and subject.encode() == key
    )


def read_strictly(raw: bytes) -> Mapping[str, Any]:
    """Read what `recognise` does not.

    Raises:
        Unreadable: it is neither a release nor a withdrawal.
    """
    content = parse_json(raw, MAX_EMISSION_BYTES)
    withdrawn = isinstance(content, dict) and "reasons" in content and not is_release(content)
    model: type[Emission] = Withdrawal if withdrawn else Release
    return parse_payload(model, raw, MAX_EMISSION_BYTES).model_dump()
