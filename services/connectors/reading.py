"""Bytes to words: quick where the pseudonymiser wrote them, and strict as soon as anything looks otherwise. Pure."""

import re
from typing import Any, get_args

import orjson

from services.connectors.words import Word
from services.contract.errors import KeyMismatch, NotThisSchema
from services.contract.heartbeats import MAX_HEARTBEAT_BYTES, Heartbeat, read_heartbeat
from services.contract.operations import Adopted, Delete, Operation, Restrict, Rotated, Upsert
from services.contract.parsing import MAX_DEPTH, parse_json, parse_payload
from services.contract.policies import Kind

MAX_OPERATION_BYTES = 512 * 1024
_NAME = re.compile(r"[a-z2-7]{32}")
_CONTRACT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,40}")
_KINDS = get_args(Kind)
_FROM = "renamed_from"
_RENAMED = tuple(frozenset(model.model_fields) for model in (Upsert, Delete, Restrict, Adopted))
_FORMS = (*[parts - {_FROM} for parts in _RENAMED[:-1]], frozenset(Rotated.model_fields), *_RENAMED)
"""Which members an operation has, the usual ones first."""


def read_operation(raw: bytes, key: bytes | None, provider: str) -> Word:
    """An operation of this provider, from the normal lane.

    Raises:
        Unreadable: not an operation, of another provider, or under another key than its pseudonym.
    """
    word = quickly(raw) or _strictly(raw)
    if word.provider != provider or key != word.pseudonym.encode():
        raise KeyMismatch("key: not of this provider, or not the pseudonym of the operation")
    return word


def read_express(raw: bytes, key: bytes | None, provider: str, partitions: int) -> Word | Heartbeat:
    """A delete, a restrict or another name, or the heartbeat of one of the filter's `partitions`.

    Raises:
        Unreadable: neither, or not from here.
    """
    if key is not None:
        word = read_operation(raw, key, provider)
        if word.kind is not None:
            raise NotThisSchema("payload: an upsert on the lane of withdrawals")
        return word
    heartbeat = read_heartbeat(raw) if len(raw) <= MAX_HEARTBEAT_BYTES else None
    if heartbeat is not None and heartbeat.partition >= partitions:
        raise KeyMismatch("partition: the heartbeat of one that there is not")
    return heartbeat or read_operation(raw, key, provider)


def quickly(raw: bytes) -> Word | None:
    """What our own pseudonymiser writes; null for anything that only the strict reading can judge."""
    if len(raw) > MAX_OPERATION_BYTES or raw.count(b"{") + raw.count(b"[") > MAX_DEPTH:
        return None
    try:
        content = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return word_of(content, raw)


def word_of(content: Any, raw: bytes) -> Word | None:
    """The parsed operation; null unless every part that is used has its form."""
    if type(content) is not dict or content.keys() not in _FORMS:
        return None
    provider, contract, pseudonym = content["provider"], content["contract"], content["pseudonym"]
    seq, version, event_id = content["seq"], content["policy_version"], content["event_id"]
    kind, fields, renamed_to = content.get("kind"), content.get("fields", {}), content.get("renamed_to", "")
    if (
        type(provider) is type(contract) is type(pseudonym) is type(event_id) is type(content["policy"]) is str
        and type(seq) is type(version) is int
        and seq > 0 < version
        and type(fields) is dict
        and (kind in _KINDS or "kind" not in content)
        and content.get("restricted", True) is content.get("adopted", True) is True
        and _CONTRACT.fullmatch(contract)
        and _NAME.fullmatch(pseudonym)
        and _NAME.fullmatch(event_id)
        and ("renamed_to" not in content or (type(renamed_to) is str and _NAME.fullmatch(renamed_to)))
        and (_FROM not in content or _are_names(content[_FROM]))
    ):
        place = f"{contract}/{pseudonym}".encode()
        return Word(
            provider, contract, pseudonym, seq, version, event_id, kind, fields, place, raw,
            "restricted" in content, renamed_to, "adopted" in content, tuple(content.get(_FROM, ())),
        )  # fmt: skip
    return None


def _are_names(names: Any) -> bool:
    return type(names) is list and bool(names) and all(type(name) is str and _NAME.fullmatch(name) for name in names)


def word_kept(content: Any) -> Word:
    """A word from the connector's own state, where it was kept as it had come."""
    raw = orjson.dumps(content)
    return word_of(content, raw) or _strictly(raw)


def _strictly(raw: bytes) -> Word:
    content = parse_json(raw, MAX_OPERATION_BYTES)
    model: type[Operation] = Delete
    if isinstance(content, dict) and content.keys() & {"kind", "fields"}:
        model = Upsert
    elif isinstance(content, dict) and "restricted" in content:
        model = Restrict
    elif isinstance(content, dict) and "renamed_to" in content:
        model = Rotated
    elif isinstance(content, dict) and "adopted" in content:
        model = Adopted
    return _word(parse_payload(model, raw, MAX_OPERATION_BYTES), raw)


def _word(operation: Operation, raw: bytes) -> Word:
    kind, fields = (operation.kind, operation.fields) if isinstance(operation, Upsert) else (None, {})
    return Word(
        operation.provider, operation.contract, operation.pseudonym, operation.seq, operation.policy_version,
        operation.event_id, kind, fields, f"{operation.contract}/{operation.pseudonym}".encode(), raw,
        isinstance(operation, Restrict), operation.renamed_to if isinstance(operation, Rotated) else "",
        isinstance(operation, Adopted), getattr(operation, _FROM, ()),
    )  # fmt: skip
