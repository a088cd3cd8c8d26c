"""Ways to tell of a record in one provider's topic which record in another's is the same pupil. Asserts nothing.

An attack gives each pseudonym a mark, from that provider's topic alone. Who joins two topics by it pairs pseudonyms
of equal marks, at random where several share one; `expected_joins` is how many pairs are then right on average. A mark
that tells nothing gives one right pair of all that there are, as guessing does.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from tests.property.two_providers import Read

Marks = Mapping[bytes, Hashable]
Attack = Callable[[Sequence[Read]], Marks]


def expected_joins(one: Marks, other: Marks, truth: Mapping[bytes, bytes]) -> float:
    """`truth` leads from a pseudonym at the one provider to that of the same pupil at the other."""
    size_one, size_other = Counter(one.values()), Counter(other.values())
    right = Counter(mark for key, mark in one.items() if truth[key] in other and other[truth[key]] == mark)
    return sum(count / max(size_one[mark], size_other[mark]) for mark, count in right.items())


def _fields(record: Read) -> Mapping[str, Any]:
    content: Mapping[str, Any] = orjson.loads(record.value or b'{"fields":{}}')["fields"]
    return content


def _of_each(mark: Callable[[Read], Hashable]) -> Attack:
    return lambda records: {record.key: mark(record) for record in records}


def _in_order(records: Sequence[Read], mark: Callable[[Read], Hashable] | None = None) -> Marks:
    """The place of each among those with its mark."""
    seen: Counter[Hashable] = Counter()
    places: dict[bytes, Hashable] = {}
    for record in records:
        group = mark(record) if mark else None
        places[record.key] = (group, seen[group])
        seen[group] += 1
    return places


def transactions(records: Sequence[Read]) -> dict[bytes, int]:
    """Which transaction of its partition each record came in: the end of one leaves a gap in the offsets."""
    before: dict[int, tuple[int, int]] = {}
    found: dict[bytes, int] = {}
    for record in records:
        offset, number = before.get(record.partition, (record.offset - 1, 0))
        number += record.offset != offset + 1
        before[record.partition] = (record.offset, number)
        found[record.key] = number
    return found


def _sizes_of(marks: Marks) -> Marks:
    sizes = Counter(marks.values())
    return {key: sizes[mark] for key, mark in marks.items()}


def _rising(records: Sequence[Read]) -> dict[bytes, int]:
    """Which sorted run of its partition each record is in."""
    before: dict[int, tuple[bytes, int]] = {}
    found: dict[bytes, int] = {}
    for record in records:
        key, number = before.get(record.partition, (b"", 0))
        number += record.key < key
        before[record.partition] = (record.key, number)
        found[record.key] = number
    return found


def _first_met(records: Sequence[Read], name: str) -> Marks:
    """In which order its school or class is met first."""
    order: dict[str, int] = {}
    return {record.key: order.setdefault(_named(record, name), len(order)) for record in records}


def _named(record: Read, name: str) -> str:
    value = _fields(record).get(name)
    return str(value[0]["id"] if isinstance(value, list) else value)


def class_sizes(records: Sequence[Read]) -> Marks:
    """The size of her class among the sizes of all classes of her school."""
    classes = Counter(_named(record, "divisions") for record in records)
    of_school: dict[str, set[str]] = defaultdict(set)
    for record in records:
        of_school[_named(record, "school")].add(_named(record, "divisions"))
    shape = {school: tuple(sorted(classes[each] for each in those)) for school, those in of_school.items()}
    return {record.key: (shape[_named(record, "school")], classes[_named(record, "divisions")]) for record in records}


def group_sizes(records: Sequence[Read]) -> Marks:
    """The sizes of all groups that she is in, beside that of her class."""
    groups = Counter(group["id"] for record in records for group in _fields(record).get("groups", ()))
    of_class = class_sizes(records)
    sizes = {
        record.key: tuple(sorted(groups[group["id"]] for group in _fields(record).get("groups", ())))
        for record in records
    }
    return {key: (mark, sizes[key]) for key, mark in of_class.items()}


def windows(records: Sequence[Read]) -> Marks:
    """All instants at which something was told of her."""
    seen: dict[bytes, set[int]] = defaultdict(set)
    for record in records:
        seen[record.key].add(record.at_us)
    return {key: frozenset(instants) for key, instants in seen.items()}


def _header(record: Read, name: str) -> bytes | None:
    return dict(record.headers).get(name)


ATTACKS: Mapping[str, Attack] = {
    "pseudonym": _of_each(lambda record: record.key),
    "first letters of the pseudonym": _of_each(lambda record: record.key[:2]),
    "event id": _of_each(lambda record: _header(record, "ce_id")),
    "first letters of the event id": _of_each(lambda record: (_header(record, "ce_id") or b"")[:2]),
    "all other headers": _of_each(lambda record: tuple(h for h in record.headers if h[0] != "ce_id")),
    "school": _of_each(lambda record: _named(record, "school")),
    "class": _of_each(lambda record: _named(record, "divisions")),
    "first letter of the school": _of_each(lambda record: _named(record, "school")[:1]),
    "alias": _of_each(lambda record: str(_fields(record).get("email_relay")).partition("@")[0]),
    "alias or pseudonym": _of_each(
        lambda record: min(str(_fields(record).get("email_relay"))[:32].encode(), record.key)
    ),
    "partition": _of_each(lambda record: record.partition),
    "offset": _of_each(lambda record: (record.partition, record.offset)),
    "timestamp": _of_each(lambda record: record.timestamp),
    "instant": _of_each(lambda record: record.at_us),
    "place in the topic": _in_order,
    "place in the partition": lambda records: _in_order(records, lambda record: record.partition),
    "place in the instant": lambda records: _in_order(records, lambda record: record.at_us),
    "place in its school": lambda records: _in_order(records, lambda record: _named(record, "school")[:1]),
    "transaction": transactions,
    "size of the transaction": lambda records: _sizes_of(transactions(records)),
    "sorted run": _rising,
    "size of the sorted run": lambda records: _sizes_of(_rising(records)),
    "size of the record": _of_each(lambda record: len(record.value or b"")),
    "size of the headers": _of_each(lambda record: sum(len(value or b"") for _, value in record.headers)),
    "order of schools": lambda records: _first_met(records, "school"),
    "order of classes": lambda records: _first_met(records, "divisions"),
    "sizes of classes": class_sizes,
    "sizes of groups": group_sizes,
    "windows": windows,
    "field names": _of_each(lambda record: len(_fields(record))),
}


def joins(one: Sequence[Read], other: Sequence[Read], truth: Mapping[bytes, bytes]) -> dict[str, float]:
    """Every attack, and how many pupils it joins on average."""
    return {name: expected_joins(attack(one), attack(other), truth) for name, attack in ATTACKS.items()}


def better_than(limit: float, scores: Mapping[str, float], but: Iterable[str] = ()) -> dict[str, float]:
    return {name: round(score, 2) for name, score in scores.items() if score > limit and name not in but}
