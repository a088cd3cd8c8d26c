"""What a transaction says is in its batches, all of it and in order: they are read back by the client's own reader."""

from collections import defaultdict
from typing import Any, cast

import pytest
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from services.runtime.batches import batches_of, uncounted
from services.runtime.outbox import BY_SUBJECT, SPREAD, Output

NOW_MS = 1_789_459_200_000
CHANGELOG = ("state", 3)
Read = tuple[bytes | None, bytes | None, int, list[Any]]


class Small:
    """A producer whose batches hold two or three of the records below."""

    def create_batch(self) -> BatchBuilder:
        return BatchBuilder(220, 0, is_transactional=1)


def read_back(outputs: list[Output], changes: dict[bytes, bytes | None]) -> dict[tuple[str, int], list[list[Read]]]:
    made: dict[tuple[str, int], list[list[Read]]] = defaultdict(list)
    for place, batch in batches_of(cast("Any", Small()), outputs, changes, CHANGELOG, {"spread": 12}, NOW_MS):
        records: list[Any] = list(cast("Any", MemoryRecords(bytes(batch._build())).next_batch()))
        assert batch.record_count() == len(records)
        made[place].append([(each.key, each.value, each.timestamp, list(each.headers)) for each in records])
    return made


def test_records_of_a_place_fill_as_many_batches_as_it_takes_and_stay_in_order() -> None:
    outputs = [Output("out", b"%d" % n, b"v" * 50, 3, [("name", b"x")], None) for n in range(5)]
    batches = read_back(outputs, {})["out", 3]

    assert [each for batch in batches for each in batch] == [
        (b"%d" % n, b"v" * 50, NOW_MS, [("name", b"x")]) for n in range(5)
    ]
    assert [len(batch) for batch in batches] == [2, 2, 1]


def test_changes_go_to_the_changelog_s_own_partition_and_a_removal_is_a_tombstone() -> None:
    made = read_back([], {b"a": b"1", b"b": None})

    assert made == {CHANGELOG: [[(b"a", b"1", NOW_MS, []), (b"b", None, NOW_MS, [])]]}


def test_record_keeps_a_time_of_its_own() -> None:
    assert read_back([Output("out", b"k", b"v", 0, (), 7)], {})["out", 0] == [[(b"k", b"v", 7, [])]]


@pytest.mark.parametrize(
    ("how", "place"),
    [
        # By other tools: CRC-32 of the key, and murmur2 by its definition, which gives Kafka's own vector for "21".
        (SPREAD, 0x02137BF4 % 12),
        (BY_SUBJECT, 0x64EA85A2 % 12),
        (7, 7),
    ],
)
def test_partition_is_the_one_that_was_said_or_that_the_key_chooses(how: int, place: int) -> None:
    assert list(read_back([Output("spread", b"999000001AB", b"v", how, (), None)], {})) == [("spread", place)]


def test_only_topics_whose_partition_is_to_be_chosen_are_counted_and_each_once() -> None:
    outputs = [Output(topic, b"k", b"v", how, (), None) for topic, how in (("a", SPREAD), ("b", 3), ("c", BY_SUBJECT))]

    assert uncounted(outputs, {"c": 12}) == {"a"}


def test_record_that_is_larger_than_a_batch_has_one_of_its_own() -> None:
    outputs = [Output("out", b"k", value, 0, (), None) for value in (b"v", b"v" * 400, b"w")]

    assert [[value for _, value, _, _ in batch] for batch in read_back(outputs, {})["out", 0]] == [
        [b"v"], [b"v" * 400], [b"w"],
    ]  # fmt: skip
