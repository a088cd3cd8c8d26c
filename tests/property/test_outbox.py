"""An outbox goes back to any point it was at: told against plain copies of what it held then."""

from hypothesis import given
from hypothesis import strategies as st

from ops.benchmarks.memory_state import MemoryState
from services.runtime.outbox import Outbox, Savepoint

KEYS = st.sampled_from([b"a", b"b", b"c"])
VALUES = st.none() | st.sampled_from([b"1", b"2"])
STEPS = st.lists(
    st.tuples(KEYS, VALUES)  # put
    | st.just("save")
    | st.integers(0, 5),  # roll back to that savepoint, from the latest on; those after it are gone
    max_size=30,
)


@given(steps=STEPS)
def test_rollback_leaves_what_there_was_whatever_was_written_over_and_however_often(steps: list[object]) -> None:
    box = Outbox("filtering", 0, MemoryState(), 0)
    kept: list[tuple[Savepoint, dict[bytes, bytes | None], int]] = []

    for step in steps:
        match step:
            case (bytes(key), value):
                assert value is None or isinstance(value, bytes)
                box.put(key, value)
                box.send("out", key, value)
            case "save":
                kept.append((box.savepoint(), dict(box.changes), len(box.outputs)))
            case int(back) if back < len(kept):
                del kept[len(kept) - back :]
                savepoint, changes, outputs = kept[-1]
                box.rollback(savepoint)
                assert (box.changes, len(box.outputs)) == (changes, outputs)
