"""Payloads as lines of JSON: one bad line never keeps the next from being read."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TypeVar

from services.contract.errors import TooLarge, Unreadable

Taken = TypeVar("Taken")


@dataclass(frozen=True, slots=True)
class RefusedLine:
    """A line that was not taken; lines are counted from 1."""

    line: int
    code: str
    why: str


def read_lines(stream: BinaryIO, parse: Callable[[bytes], Taken], limit_bytes: int) -> Iterator[Taken | RefusedLine]:
    """Each line that holds something, parsed, or refused with the reason that `parse` raises (Unreadable)."""
    number = 0
    while raw := stream.readline(limit_bytes + 1):
        number += 1
        if len(raw) > limit_bytes and not raw.endswith(b"\n"):
            _skip_line(stream, limit_bytes)
            yield RefusedLine(number, TooLarge.code, f"over {limit_bytes} bytes")
        elif line := raw.strip():
            try:
                yield parse(line)
            except Unreadable as error:
                yield RefusedLine(number, error.code, str(error))


def _skip_line(stream: BinaryIO, limit_bytes: int) -> None:
    while (rest := stream.readline(limit_bytes)) and not rest.endswith(b"\n"):
        pass
