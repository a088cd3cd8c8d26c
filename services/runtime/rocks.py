"""RocksDB as the partition stores use it: with which options, and what its errors mean."""

from rocksdict import (
    BlockBasedOptions,
    Cache,
    DataBlockIndexType,
    DBCompressionType,
    Options,
    ReadOptions,
    WriteOptions,
)

from services.contract.errors import StoreCorrupt, StoreFailed, StoreInUse

MIB = 1024 * 1024

# One for all stores of the process; else each would have its own, and memory grow with the partitions.
_BLOCKS = Cache(64 * MIB)


def options() -> Options:
    """For some thousand random keys a batch, and twelve stores in one process of two cores."""
    blocks = BlockBasedOptions()
    blocks.set_block_cache(_BLOCKS)
    blocks.set_block_size(4096)
    blocks.set_bloom_filter(10, block_based=False)
    blocks.set_data_block_index_type(DataBlockIndexType.binary_and_hash())
    blocks.set_format_version(5)
    # Index and filters stay outside the cache: 6 MB for a million subjects, and a key 0.3-1.4 µs cheaper (measured).
    options = Options(raw_mode=True)
    options.create_if_missing(True)  # noqa: FBT003  # RocksDB's own name for it
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())
    # At most twice this is in memory for each store: then a write waits for the disk.
    options.set_write_buffer_size(8 * MIB)
    options.set_max_write_buffer_number(2)
    # Most keys that are looked for are not in memory: a filter says so for half of what the walk down a list costs
    # (measured: 2 µs a record of the pseudonymiser's 21).
    options.set_memtable_whole_key_filtering(True)
    options.set_memtable_prefix_bloom_ratio(0.02)
    options.set_target_file_size_base(16 * MIB)
    options.set_max_bytes_for_level_base(64 * MIB)
    # Twice the usual: what changes often is written again half as often, and a key is looked for in four files more.
    options.set_level_zero_file_num_compaction_trigger(8)
    options.set_max_background_jobs(2)
    options.set_max_open_files(64)
    options.set_keep_log_file_num(1)
    options.set_stats_dump_period_sec(0)
    return options


def unlogged() -> WriteOptions:
    """Write nothing ahead: the changelog is the log."""
    made = WriteOptions()
    made.disable_wal = True  # type: ignore[method-assign,assignment]  # a property; its stub says method
    return made


def passing() -> ReadOptions:
    """For a sweep, which reads everything once: it must not drive out what batches read again and again."""
    made = ReadOptions()
    made.fill_cache(False)  # type: ignore[call-arg]  # noqa: FBT003  # its stub forgets the argument
    return made


def opening_failure(error: Exception) -> StoreInUse | StoreFailed:
    said = str(error)
    if said.startswith(("IO error: While lock file", "IO error: lock hold")):
        return StoreInUse("another worker has the partition's folder: give each worker a SANCTUAIRE_WORK_FOLDER")
    if said.startswith("IO error") and "No such file" not in said:
        return StoreFailed("the disk refused the partition's store")
    return StoreCorrupt("the partition's store cannot be opened")


def is_corruption(error: Exception) -> bool:
    """All that RocksDB raises is a bare Exception."""
    return str(error).startswith("Corruption")
