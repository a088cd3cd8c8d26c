"""What a provider was told of each pair, and whether an operation may still be told. Pure."""

from dataclasses import dataclass, replace

import orjson

from services.contract.operations import Delete, Operation
from services.contract.reasons import StageCode


@dataclass(frozen=True, slots=True)
class Standing:
    """One pair at one provider: the highest `seq` seen, and whether the provider may have it."""

    seq: int
    attempted: bool


def judge(operation: Operation, standing: Standing | None) -> StageCode | None:
    """Why an operation is not to be told: an older word, the same word again, or an erasure of what never left."""
    if standing is not None and operation.seq <= standing.seq:
        return "duplicate" if operation.seq == standing.seq else "superseded"
    if isinstance(operation, Delete) and (standing is None or not standing.attempted):
        return "never-attempted"
    return None


def moved(operation: Operation, standing: Standing | None, *, attempted: bool) -> Standing:
    """The standing after an operation. An erasure leaves a marker without data, so that nothing old comes back."""
    before = standing or Standing(0, attempted=False)
    if isinstance(operation, Delete):
        return Standing(operation.seq, attempted=False)
    return replace(before, seq=operation.seq, attempted=before.attempted or attempted)


def dump(standing: Standing) -> bytes:
    return orjson.dumps([standing.seq, standing.attempted])


def load(raw: bytes | None) -> Standing | None:
    if raw is None:
        return None
    seq, attempted = orjson.loads(raw)
    return Standing(seq, attempted=attempted)
