from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from ops.benchmarks.memory_state import MemoryState
from services.runtime.store import Mark, PartitionStore, open_store

KEYS = st.binary(max_size=3).map(lambda key: key.replace(b"~", b"-")) | st.sampled_from([b"~offset/in", b"~sweep"])
CHANGES = st.dictionaries(KEYS, st.none() | st.binary(max_size=8), max_size=8)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("apply"), CHANGES),
        st.tuples(st.just("scan"), KEYS, st.none() | KEYS),
        st.tuples(st.just("get"), st.lists(KEYS, max_size=5)),
        st.tuples(st.just("reopen")),
    ),
    max_size=20,
)


@given(STEPS)
def test_store_is_a_dictionary_that_is_still_there_when_it_is_opened_again(steps: list[tuple[object, ...]]) -> None:
    with TemporaryDirectory() as folder:
        _compare(Path(folder), steps)


def _compare(folder: Path, steps: list[tuple[object, ...]]) -> None:
    model, offset = MemoryState(), 0

    def opened() -> PartitionStore:
        store, code = open_store(folder, "topic", lambda _mark: None)
        assert code is None
        return store

    store = opened()
    for step in steps:
        match step:
            case ("apply", dict(changes)):
                offset += len(changes)
                model.apply(changes)
                store.apply(changes, offset, offset * 10)
            case ("scan", bytes(prefix), bytes() | None as after):
                assert list(store.scan(prefix, after)) == list(model.scan(prefix, after))
            case ("get", list(keys)):
                assert store.get_many(keys) == model.get_many(keys)
                assert [store.get(key) for key in keys] == model.get_many(keys)
            case _:
                store.close()
                store = opened()
    with closing(store):
        assert list(store.scan(b"", None)) == list(model.scan(b"", None))
        assert store.mark in (None, Mark("topic", offset, offset * 10))
