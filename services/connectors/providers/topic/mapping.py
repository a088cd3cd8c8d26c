"""From a word to the record that leaves. Pure.

Nothing goes with it that two providers could compare: no seq, no policy, no exact time, no key of ours.
"""

from datetime import datetime

import orjson

from services.connectors.words import Word

_SPECVERSION = ("ce_specversion", b"1.0")
_SOURCE = ("ce_source", b"sanctuaire")
_TYPE = ("ce_type", b"sanctuaire.provider-record.v1")
_TYPE_OF_RENAMING = ("ce_type", b"sanctuaire.provider-renaming.v1")
_TYPE_OF_ADOPTION = ("ce_type", b"sanctuaire.provider-adoption.v1")
_TYPE_OF_RESTRICTION = ("ce_type", b"sanctuaire.provider-restriction.v1")
_TYPES = {"rotate": _TYPE_OF_RENAMING, "adopt": _TYPE_OF_ADOPTION, "restrict": _TYPE_OF_RESTRICTION}
_CONTENT_TYPE = ("content-type", b"application/json")


def value_of(word: Word, purpose: str) -> bytes | None:
    """The record's value: the bytes of what a provider reads (operations.py), or null, the order to forget."""
    if word.adopted:
        return orjson.dumps({"renamed_from": word.renamed_from})
    if word.kind is None:
        return b'{"restricted":true}' if word.restricted else None
    return orjson.dumps({"kind": word.kind, "purpose": purpose, "fields": word.fields})


def renaming_of(word: Word) -> bytes:
    """The bytes of a `ProviderRenaming`."""
    return b'{"renamed_to":"%b"}' % word.renamed_to.encode()


def headers_of_end(word: Word) -> tuple[tuple[str, bytes], ...]:
    """Of the order to forget a name for another: a provider that comes after compaction still learns which."""
    return (*headers_of(word), ("renamed_to", word.renamed_to.encode()))


def headers_of(word: Word) -> tuple[tuple[str, bytes], ...]:
    """CloudEvents binary mode, with the event id that only this provider ever sees, and the names of before."""
    kind = _TYPES.get(word.operation, _TYPE)
    headers = (_SPECVERSION, ("ce_id", word.event_id.encode()), _SOURCE, kind, _CONTENT_TYPE)
    return (*headers, ("renamed_from", ",".join(word.renamed_from).encode())) if word.renamed_from else headers


def hour_of(now: datetime) -> int:
    """Milliseconds of the hour in which it leaves: exact times would link two providers' records."""
    return int(now.timestamp()) // 3600 * 3_600_000
