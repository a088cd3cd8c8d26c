"""Whether a peer has done the same work as ours: the same records, byte for byte. Pure, and holds no bytes."""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Output:
    """One record that was read back: where it lies, and a digest of provider, key, headers and value."""

    topic: str
    partition: int
    offset: int
    digest: bytes


Headers = Sequence[tuple[str, bytes | None]] | None
Naming = Callable[[str, bytes | None, Headers, bytes | None], bytes]
"""Provider, key, headers and value of a record → what names it."""

_SEQ = re.compile(rb'"seq":([0-9]+)')


def digest_of(provider: str, key: bytes | None, headers: Headers, value: bytes | None) -> bytes:
    """Names the bytes of a record without keeping them: 300,000 of them would fill the memory that is measured."""
    return hashlib.blake2b(repr((provider, key, headers, value)).encode(), digest_size=16).digest()


@dataclass(slots=True)
class ClocklessNames:
    """Names releases alike that differ in nothing but the clock; asked in the order of each partition.

    A release's `seq` is the wall clock's microseconds, and its event id ends in it: in both, its place among those of
    its subject stands for it. One that does not grow is given no place, and so is like none of ours.
    """

    _seqs: dict[tuple[str, bytes | None], list[int]] = field(default_factory=dict)

    def __call__(self, provider: str, key: bytes | None, headers: Headers, value: bytes | None) -> bytes:
        found = _SEQ.search(value or b"")
        if value is None or found is None:
            return digest_of(provider, key, headers, value)
        place = self._place(provider, key, int(found[1]))
        ranked = value[: found.start(1)] + place + value[found.end(1) :]
        ending = b"." + found[1]
        named = [
            (name, content.removesuffix(ending) + b"." + place)
            if name == "ce_id" and content is not None and content.endswith(ending)
            else (name, content)
            for name, content in headers or ()
        ]
        return digest_of(provider, key, named, ranked)

    def _place(self, provider: str, key: bytes | None, seq: int) -> bytes:
        known = self._seqs.setdefault((provider, key), [])
        if seq not in known:
            if known and seq < known[-1]:
                return b"-"
            known.append(seq)
        return str(known.index(seq) + 1).encode()


def difference(ours: Sequence[Output], theirs: Sequence[Output], *, whole: bool, same_partition: bool) -> str | None:
    """Where the peer's records differ from ours, by coordinates alone; null where they do not.

    Duplicates are allowed (at least once). Without `whole` the peer was stopped on the way, and may lack some; without
    `same_partition` it cannot choose the partition.
    """
    expected = {_name(output, same_partition) for output in ours}
    found = {_name(output, same_partition) for output in theirs}
    if strange := [output for output in theirs if _name(output, same_partition) not in expected]:
        first = strange[0]
        return (
            f"{len(strange)} of {len(theirs)} records are not ours, the first at "
            f"{first.topic}/{first.partition}/{first.offset}"
        )
    if whole and (missing := len(expected - found)):
        return f"{missing} of our {len(expected)} records are missing"
    return None


def incomplete(ours: Sequence[Output], expected: int) -> str | None:
    """Why ours cannot be the measure of the others: exactly once means each record once, and no other."""
    if twice := repeated(ours):
        return f"{twice} of our own records are there twice"
    if len(ours) != expected:
        return f"{len(ours)} records are there, {expected} were to come"
    return None


def repeated(outputs: Sequence[Output]) -> int:
    """How many records are there more than once, counted each time but the first."""
    return len(outputs) - len({output.digest for output in outputs})


def _name(output: Output, same_partition: bool) -> bytes:
    return output.digest + (bytes([output.partition]) if same_partition else b"")
