import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import orjson
import pytest
from rocksdict import Options, Rdict

from services.contract.errors import StoreCorrupt, StoreInUse
from services.runtime.store import MARK, Mark, PartitionStore, open_store

ROOT = Path(__file__).parents[2]
TOPIC = "0b7c7a52-5b1f-4f0e-9a51-1f4f3b1e2d3c"

WRITER = """
import sys
from pathlib import Path
from services.runtime.store import PartitionStore
store = PartitionStore(Path(sys.argv[1]), "topic")
number = 0
while True:
    number += 1
    text = str(number).encode()
    store.apply({b"first": text, b"n/%06d" % number: bytes(50_000), b"last": text}, number, 1000 + number)
    print(number, flush=True)
"""


def welcome(_mark: Mark) -> None:
    return None


def filled(folder: Path, offset: int = 7, at_ms: int = 1000) -> None:
    store, _ = open_store(folder, TOPIC, welcome)
    with closing(store):
        store.apply({b"a": b"1", b"empty": b""}, offset, at_ms)


def reopened(folder: Path, topic_id: str = TOPIC) -> tuple[bytes | None, Mark | None, str | None]:
    """What is held under `a`, the mark, and why the store was thrown away."""
    store, code = open_store(folder, topic_id, welcome)
    with closing(store):
        return store.get(b"a"), store.mark, code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "changelog" / "3"


def test_store_is_as_it_was_when_it_is_opened_again(folder: Path) -> None:
    filled(folder)

    assert reopened(folder) == (b"1", Mark(TOPIC, 7, 1000), None)


def test_folder_is_its_workers_alone(folder: Path) -> None:
    filled(folder)
    first = folder.stat().st_mode & 0o777
    reopened(folder, "f3a0c6de-0000-4000-8000-000000000001")

    assert (first, folder.stat().st_mode & 0o777) == (0o700, 0o700)


def test_empty_value_is_not_an_absent_one(folder: Path) -> None:
    filled(folder)
    store, _ = open_store(folder, TOPIC, welcome)
    with closing(store):
        assert store.get_many([b"empty", b"none"]) == [b"", None]


def test_new_store_has_no_mark_and_nothing_is_thrown_away(folder: Path) -> None:
    assert reopened(folder) == (None, None, None)
    assert reopened(folder) == (None, None, None)


def test_store_of_another_cluster_or_of_a_topic_made_anew_is_thrown_away(folder: Path) -> None:
    filled(folder)

    assert reopened(folder, "f3a0c6de-0000-4000-8000-000000000001") == (None, None, "other-topic")


@pytest.mark.parametrize(
    "mark",
    [
        pytest.param(orjson.dumps({"format": 0, "topic_id": TOPIC, "offset": 7, "at_ms": 1000}), id="older"),
        pytest.param(orjson.dumps({"offset": 7}), id="none"),
        pytest.param(None, id="no-mark-at-all"),
    ],
)
def test_store_of_another_format_is_thrown_away(folder: Path, mark: bytes | None) -> None:
    filled(folder)
    foreign = Rdict(str(folder), Options(raw_mode=True))
    if mark is None:
        foreign.delete(MARK)
    else:
        foreign.put(MARK, mark)
    foreign.close()

    assert reopened(folder) == (None, None, "other-format")


def test_store_that_its_reader_refuses_is_thrown_away(folder: Path) -> None:
    filled(folder)
    refused: list[Mark] = []

    def refuse(mark: Mark) -> str:
        refused.append(mark)
        return "stale"

    store, code = open_store(folder, TOPIC, refuse)
    with closing(store):
        assert (store.get(b"a"), store.mark, code) == (None, None, "stale")
    assert refused == [Mark(TOPIC, 7, 1000)]


@pytest.mark.parametrize("name", ["CURRENT", "MANIFEST-*", "*.sst"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_store_that_cannot_be_opened_is_thrown_away(folder: Path, name: str, damage: str) -> None:
    filled(folder)
    for file in folder.glob(name):
        if damage == "cut":
            file.write_bytes(file.read_bytes()[:5])
        else:
            file.unlink()

    assert reopened(folder) == (None, None, "corrupt")


def spoilt(folder: Path) -> PartitionStore:
    """A store of many blocks, opened after some in the middle were overwritten."""
    store, _ = open_store(folder, TOPIC, welcome)
    with closing(store):
        store.apply({b"s/%04d" % n: str(n).encode() * 100 for n in range(5000)}, 7, 1000)
    (table,) = folder.glob("*.sst")
    data = bytearray(table.read_bytes())
    data[20_000:30_000] = bytes(10_000)
    table.write_bytes(data)
    return open_store(folder, TOPIC, welcome)[0]


SPOILT = [b"s/%04d" % n for n in range(5000)]


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda store: [store.get(key) for key in SPOILT], id="one-by-one"),
        pytest.param(lambda store: store.get_many(SPOILT), id="many"),
        pytest.param(lambda store: list(store.scan(b"s/", None)), id="scan"),
    ],
)
def test_damaged_block_ends_the_reading_and_the_store_is_thrown_away_at_the_next_start(
    folder: Path, read: Callable[[PartitionStore], object]
) -> None:
    with closing(spoilt(folder)) as store, pytest.raises(StoreCorrupt, match="rebuilt at the next start"):
        read(store)

    assert reopened(folder) == (None, None, "corrupt")


@pytest.fixture
def writer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    folder.mkdir(parents=True)
    command = [sys.executable, "-c", WRITER, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_kill_leaves_every_batch_up_to_one_whole_and_nothing_of_those_after(
    writer: subprocess.Popen[str], folder: Path
) -> None:
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 700:  # 35 MB: several tables are on disk, and some are not yet
            break
    writer.kill()
    writer.wait(10)
    store, code = open_store(folder, "topic", welcome)
    with closing(store):
        assert store.mark is not None
        reached = store.mark.offset
        assert (code, store.mark.at_ms) == (None, 1000 + reached)
        assert store.get_many([b"first", b"last"]) == [str(reached).encode()] * 2
        assert [key for key, _ in store.scan(b"n/", None)] == [b"n/%06d" % n for n in range(1, reached + 1)]
        assert reached >= 100


def test_folder_that_another_process_has_is_a_clear_error_and_stays_whole(
    writer: subprocess.Popen[str], folder: Path
) -> None:
    assert writer.stdout is not None
    assert writer.stdout.readline() == "1\n"
    with pytest.raises(StoreInUse, match="another worker has the partition's folder"):
        open_store(folder, "topic", welcome)

    assert writer.poll() is None
    assert (folder / "CURRENT").exists()


def test_folder_that_this_process_has_open_is_not_opened_twice(folder: Path) -> None:
    store, _ = open_store(folder, TOPIC, welcome)
    with closing(store), pytest.raises(StoreInUse):
        open_store(folder, TOPIC, welcome)


def test_folder_can_be_opened_again_as_soon_as_it_is_closed(folder: Path) -> None:
    for number in range(5):
        filled(folder, offset=number)

    assert reopened(folder) == (b"1", Mark(TOPIC, 4, 1000), None)
