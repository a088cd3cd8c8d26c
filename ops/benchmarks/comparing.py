"""Whether a peer has done the same work as ours: the same records, byte for byte. Pure, and holds no bytes."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Output:
    """One record that was read back: where it lies, and a digest of provider, key, headers and value."""

    topic: str
    partition: int
    offset: int
    digest: bytes


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
