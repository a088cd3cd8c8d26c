"""What a provider has that does as its topic says while names change, in every order of reading its partitions.

Expected: level by name; in brackets where it may not be used.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

import pytest

from services.runtime.records import FetchedRecord
from tests.replay.provider_reading import Accounts

OLD, MID, NEW = "a" * 32, "b" * 32, "c" * 32
Lane = Sequence[FetchedRecord]


def row(name: str, value: bytes | None, *before: str, to: str = "") -> FetchedRecord:
    headers = [("renamed_from", ",".join(before))] * bool(before) + [("renamed_to", to)] * bool(to)
    return FetchedRecord("", 0, 0, 0, name.encode(), value, [(key, text.encode()) for key, text in headers])


def knows(name: str, level: str, *before: str) -> FetchedRecord:
    return row(name, b'{"kind":"pupil","purpose":"p","fields":{"level":"%b"}}' % level.encode(), *before)


def restricts(name: str, *before: str) -> FetchedRecord:
    return row(name, b'{"restricted":true}', *before)


def adopts(name: str, *before: str) -> FetchedRecord:
    return row(name, b'{"renamed_from":[]}', *before)


def forgets(name: str, *before: str) -> FetchedRecord:
    return row(name, None, *before)


def hands_on(name: str, to: str) -> list[FetchedRecord]:
    return [row(name, b'{"renamed_to":"%b"}' % to.encode()), row(name, None, to=to)]


def orders(lanes: Sequence[Lane]) -> Iterator[list[FetchedRecord]]:
    """Every way in which all lanes can be read, each in its own order."""
    if not any(lanes):
        yield []
    for number, lane in enumerate(lanes):
        if lane:
            rest = [*lanes[:number], lane[1:], *lanes[number + 1 :]]
            yield from ([lane[0], *order] for order in orders(rest))


def has(rows: Sequence[FetchedRecord]) -> dict[str, str]:
    known = Accounts().read_all(rows).known()
    levels = {name: each.fields["level"] for name, each in known.items() if each.fields}
    return {name: f"({level})" if known[name].restricted else level for name, level in levels.items()}


GONE_ON = [knows(OLD, "6EME"), *hands_on(OLD, NEW)]


@pytest.mark.parametrize(
    ("lanes", "expected"),
    [
        pytest.param([GONE_ON, [knows(NEW, "5EME", OLD)]], {NEW: "5EME"}, id="released"),
        pytest.param([GONE_ON, [adopts(NEW, OLD)]], {NEW: "6EME"}, id="held"),
        pytest.param([GONE_ON, []], {NEW: "6EME"}, id="the new name's word waits"),
        pytest.param([GONE_ON, [adopts(NEW, OLD), knows(NEW, "5EME", OLD)]], {NEW: "5EME"}, id="held, then released"),
        pytest.param([GONE_ON, [restricts(NEW, OLD)]], {NEW: "(6EME)"}, id="restricted"),
        pytest.param(
            [[knows(OLD, "6EME"), restricts(OLD), *hands_on(OLD, NEW)], [adopts(NEW, OLD)]], {NEW: "(6EME)"},
            id="restricted before",
        ),
        pytest.param(
            [GONE_ON, [restricts(NEW, OLD), knows(NEW, "5EME", OLD)]], {NEW: "5EME"}, id="restricted, then released"
        ),
        pytest.param(
            [[knows(OLD, "6EME"), knows(OLD, "5EME"), *hands_on(OLD, NEW)], [adopts(NEW, OLD)]],
            {NEW: "5EME"}, id="changed under the old name last",
        ),
        pytest.param([GONE_ON, [knows(NEW, "5EME", OLD), forgets(NEW, OLD)]], {}, id="withdrawn after both words"),
        pytest.param([GONE_ON, [forgets(NEW, OLD)]], {}, id="withdrawn between the two words"),
        pytest.param([[knows(OLD, "6EME"), forgets(OLD)], [forgets(NEW, OLD)]], {}, id="withdrawn before either word"),
        pytest.param(
            [GONE_ON, [knows(NEW, "5EME", OLD), forgets(NEW, OLD), knows(NEW, "4EME")]], {NEW: "4EME"},
            id="withdrawn and back",
        ),
        pytest.param([GONE_ON, [forgets(NEW, OLD), knows(NEW, "4EME")]], {NEW: "4EME"}, id="withdrawn early and back"),
        pytest.param([[row(OLD, None, to=NEW)], [knows(NEW, "5EME", OLD)]], {NEW: "5EME"}, id="after compaction"),
        pytest.param([[row(OLD, None, to=NEW)], [adopts(NEW, OLD)]], {}, id="held, after compaction: nothing is known"),
        pytest.param(
            [[knows(OLD, "6EME"), *hands_on(OLD, MID)], [adopts(MID, OLD), *hands_on(MID, NEW)],
             [adopts(NEW, OLD, MID)]],
            {NEW: "6EME"}, id="twice renamed, held",
        ),
        pytest.param(
            [GONE_ON, [knows(MID, "5EME", OLD), *hands_on(MID, NEW)], [knows(NEW, "4EME", OLD, MID)]], {NEW: "4EME"},
            id="twice renamed, the first time late",
        ),
        pytest.param(
            [[knows(OLD, "6EME"), *hands_on(OLD, MID)], [knows(MID, "5EME", OLD), *hands_on(MID, NEW)],
             [knows(NEW, "4EME", OLD, MID), forgets(NEW, OLD, MID)]],
            {}, id="twice renamed, withdrawn",
        ),
    ],
)  # fmt: skip
def test_provider_has_the_same_in_whatever_order_it_reads_its_partitions(
    lanes: list[Lane], expected: dict[str, str]
) -> None:
    ends = [has(order) for order in orders(lanes)]

    assert len(ends) > 0
    assert [end for end in ends if end != expected] == []


def test_account_goes_on_under_the_new_name_as_soon_as_its_first_word_is_read() -> None:
    assert has([knows(OLD, "6EME"), adopts(NEW, OLD)]) == {NEW: "6EME"}


def test_every_order_of_two_partitions_is_read() -> None:
    found = [[each.value for each in order] for order in orders([GONE_ON, [knows(NEW, "5EME", OLD)]])]

    assert len(found) == len(GONE_ON) + 1
    assert {len(each) for each in found} == {4}
    assert len(set(map(tuple, found))) == 4
    assert list(chain(*found)).count(None) == 4
