"""The state of one partition in RocksDB, in a folder of its own: a copy of the changelog that may be lost at any time.

Nothing is logged ahead: the changelog is the log. One batch writes the changes and the mark of how far the changelog
was followed, into the one column family; RocksDB puts a batch whole into one table and tables on disk in their order.
What a crash leaves is therefore the state as it was after some earlier batch, with that batch's own mark.
"""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rocksdict import Rdict, WriteBatch

from services.contract.errors import StoreCorrupt, StoreFailed
from services.runtime.rocks import is_corruption, opening_failure, options, passing, unlogged
from services.runtime.state import State

FORMAT = 1
MARK = b"~store"
CONDEMNED = "condemned"


@dataclass(frozen=True, slots=True)
class Mark:
    """What a store is a copy of, and how far."""

    topic_id: str
    """Kafka's own id of the changelog topic: no other cluster has it, nor the same topic made anew."""
    offset: int
    """The first offset of the changelog that the store does not reflect."""
    at_ms: int
    """When the changelog was known to reach no further than the store: deletions before it are all in here."""


class PartitionStore(State):
    """An open store.

    Raises on opening:
        StoreInUse: another worker has the folder.
        StoreCorrupt: nobody will ever open it.
        StoreFailed: the disk refuses, or it has no room.
    """

    def __init__(self, folder: Path, topic_id: str) -> None:
        self._folder = folder
        self._topic_id = topic_id
        self._unlogged, self._passing = unlogged(), passing()
        try:
            self._db = Rdict(str(folder), options())
        except Exception as error:
            raise opening_failure(error) from error
        self.mark: Mark | None = None

    def judge(self) -> str | None:
        """Read the mark; says why the store is not one of this format and this changelog, null where it is."""
        if (self._folder / CONDEMNED).exists():
            return "corrupt"
        try:
            written = self.get(MARK)
            empty = written is None and next(self.scan(b"", None), None) is None
        except Exception as error:  # all that RocksDB raises is a bare Exception
            if isinstance(self._failed(error), StoreFailed):
                return "corrupt"
            raise
        if empty:
            return None
        fields = {} if written is None else orjson.loads(written)
        if fields.pop("format", None) != FORMAT:
            return "other-format"
        self.mark = Mark(**fields)
        return None if self.mark.topic_id == self._topic_id else "other-topic"

    def get(self, key: bytes) -> bytes | None:
        try:
            value: bytes | None = self._db.get(key)
        except Exception as error:
            raise self._failed(error) from error
        return value

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        try:
            values: list[bytes | None] = self._db.get(list(keys)) or []
        except Exception as error:
            raise self._failed(error) from error
        return values

    def scan(self, prefix: bytes, after: bytes | None) -> Iterator[tuple[bytes, bytes]]:
        # Not `items()`: it ends at a corrupt block as if that were the end.
        entries = self._db.iter(self._passing)
        entries.seek(prefix if after is None else max(prefix, after + b"\0"))
        while entries.valid():
            key: bytes = entries.key()
            if not key.startswith(prefix):
                return
            if key != MARK:
                yield key, entries.value()
            entries.next()
        try:
            entries.status()
        except Exception as error:
            raise self._failed(error) from error

    def apply(self, changes: Mapping[bytes, bytes | None], changelog_offset: int, at_ms: int) -> None:
        """Write changes and how far the changelog was followed with them, all or nothing."""
        mark = Mark(self._topic_id, changelog_offset, at_ms)
        batch = WriteBatch(raw_mode=True)
        for key, value in changes.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        batch.put(MARK, orjson.dumps({"format": FORMAT, **asdict(mark)}))
        try:
            self._db.write(batch, self._unlogged)
        except Exception as error:
            raise self._failed(error) from error
        self.mark = mark

    @property
    def size_bytes(self) -> int:
        """What lies on the disk; what is only in memory yet is not counted."""
        return int(self._db.property_int_value("rocksdb.total-sst-files-size") or 0)

    def close(self) -> None:
        """Write out what is only in memory, and let the folder go."""
        self._db.close()

    def _failed(self, error: Exception) -> StoreFailed:
        """Condemn the folder where RocksDB says it is corrupt, or each start would meet the same block again."""
        if not is_corruption(error):
            return StoreFailed("the disk refused the partition's store")
        (self._folder / CONDEMNED).touch()
        return StoreCorrupt("the partition's store is corrupt; it is rebuilt at the next start")


def open_store(folder: Path, topic_id: str, refuse: Callable[[Mark], str | None]) -> tuple[PartitionStore, str | None]:
    """The store in a folder, thrown away and begun anew where it cannot be gone on with; and why it was, if so.

    Raises:
        StoreInUse: another worker has the folder.
    """
    # It holds what the stage remembers of people, in the clear.
    folder.mkdir(0o700, parents=True, exist_ok=True)
    code: str | None = "corrupt"
    try:
        store = PartitionStore(folder, topic_id)
    except StoreCorrupt:
        pass
    else:
        code = store.judge()
        if code is None and store.mark is not None:
            code = refuse(store.mark)
        if code is None:
            return store, None
        store.close()
    shutil.rmtree(folder)
    folder.mkdir(0o700)
    return PartitionStore(folder, topic_id), code
