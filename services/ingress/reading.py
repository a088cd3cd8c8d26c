"""A body as payloads: one JSON object, a list of them, or one a line. One bad item never hides the next."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

import orjson
from pydantic import BaseModel

from services.contract.errors import NotThisSchema, TooLarge, Unreadable
from services.contract.parsing import parse_json, parse_payload

MAX_CONSENT_BYTES = 16 * 1024

PayloadType = TypeVar("PayloadType", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Item(Generic[PayloadType]):
    """One payload; `position` is its line, or its place in the list, counted from 1."""

    position: int
    payload: PayloadType


@dataclass(frozen=True, slots=True)
class Refused:
    """One that was not taken, and why, without a value."""

    position: int
    code: str
    why: str


def read_lines(stream: BinaryIO, model: type[PayloadType], limit_bytes: int) -> Iterator[Item[PayloadType] | Refused]:
    """Each line that holds something."""
    number = 0
    while raw := stream.readline(limit_bytes + 1):
        number += 1
        if len(raw) > limit_bytes and not raw.endswith(b"\n"):
            _skip_line(stream, limit_bytes)
            yield Refused(number, TooLarge.code, f"over {limit_bytes} bytes")
        elif line := raw.strip():
            yield _read(number, line, model, limit_bytes)


def read_body(raw: bytes, model: type[PayloadType], limit_bytes: int) -> Iterator[Item[PayloadType] | Refused]:
    """One object, or each of a list of objects.

    Raises:
        Unreadable: it is neither, so that nothing in it can be told apart.
    """
    content = parse_json(raw, len(raw))
    if isinstance(content, list):
        for number, one in enumerate(content, 1):
            yield _read(number, orjson.dumps(one), model, limit_bytes)
    elif isinstance(content, dict):
        yield _read(1, raw.strip(), model, limit_bytes)
    else:
        raise NotThisSchema("payload: neither an object nor a list of objects")


def _read(position: int, raw: bytes, model: type[PayloadType], limit_bytes: int) -> Item[PayloadType] | Refused:
    try:
        return Item(position, parse_payload(model, raw, limit_bytes))
    except Unreadable as error:
        return Refused(position, error.code, str(error))


def _skip_line(stream: BinaryIO, limit_bytes: int) -> None:
    while (rest := stream.readline(limit_bytes)) and not rest.endswith(b"\n"):
        pass
