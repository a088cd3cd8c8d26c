"""Whether every input came to exactly one end for every contract: invariant I1 (decisions/0003).

Opens nothing. The expected offsets come from the topics, never from the account under examination.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping

from ops.demo.readout import Finding, ReadOut, is_heartbeat
from services.contract.audit import AuditEntry
from services.contract.topology import (
    CONNECTORS_AUDIT,
    FILTERING_AUDIT,
    LINKS,
    MOVES,
    PSEUDONYMISATION_AUDIT,
    RELEASES,
    UNLINKS,
    WITHDRAWALS,
)

ALL = "-"
NO_INPUTS = frozenset({"sweep", "tick"})
"""In the place of a topic: what a stage did of itself, to what it remembers."""

Ends = Mapping[tuple[str, int], Mapping[str, Counter[int]]]
"""Topic and partition → contract → how often each offset ended."""


def coverage_findings(read: ReadOut) -> Iterator[Finding]:
    """Of the filter's inputs for every contract; of the two later stages' for the contract of the record."""
    filtered = ends_of(read, FILTERING_AUDIT)
    for (topic, partition), (first, end) in sorted(read.ends.items()):
        where = f"{topic}/{partition}"
        offsets = range(first, end)
        if missing := len(set(offsets) - {row.offset for row in read.rows(topic) if row.partition == partition}):
            yield Finding("gap-in-input", where, missing)
        aside = read.aside.get((topic, partition), Counter())
        yield from _for_every_contract(filtered.get((topic, partition), {}), aside, offsets, read.contracts, where)
    linked = _links(read)
    for place, numbers in sorted(linked.items()):
        aside, where = read.aside.get(place, Counter()), "/".join(map(str, place))
        yield from _for_every_contract(filtered.get(place, {}), aside, numbers, read.contracts, where)
    yield from _nowhere(filtered.keys() - read.ends.keys() - linked.keys())
    yield from _by_record(read, PSEUDONYMISATION_AUDIT, (RELEASES, WITHDRAWALS))
    lanes = tuple(topic for provider in sorted(read.policies) for topic in read.of_provider(provider))
    yield from _by_record(read, CONNECTORS_AUDIT, lanes)


def _links(read: ReadOut) -> Mapping[tuple[str, int], Collection[int]]:
    """What the filter tells itself, by topic and partition: its offsets are those of a transaction, with gaps."""
    found: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
    for topic in (UNLINKS, MOVES, LINKS):
        for row in read.rows(topic):
            found[topic, row.partition].add(row.offset)
    return found


def ends_of(read: ReadOut, audit: str) -> Ends:
    """What a stage's account says, offset by offset; sweeps and ticks have no input."""
    found: defaultdict[tuple[str, int], defaultdict[str, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for _, entry in read.accounts[audit]:
        if entry.topic not in NO_INPUTS:
            for contract, offset in _each_end(entry):
                found[entry.topic, entry.partition][contract][offset] += 1
    return found


def _each_end(entry: AuditEntry) -> Iterator[tuple[str, int]]:
    for contract, ends in entry.ends.items():
        for reasons in ends.values():
            for ranges in reasons.values():
                for first, last in ranges:
                    yield from ((contract, offset) for offset in range(first, last + 1))


def _for_every_contract(
    ends: Mapping[str, Counter[int]],
    aside: Counter[int],
    offsets: Collection[int],
    contracts: Collection[str],
    where: str,
) -> Iterator[Finding]:
    for contract in sorted(ends.keys() - {*contracts, ALL}):
        yield Finding("end-of-unknown-contract", f"{where} {contract}", ends[contract].total())
    for_all = ends.get(ALL, Counter())
    for contract in contracts:
        yield from _once_each(ends.get(contract, Counter()) + for_all + aside, offsets, f"{where} {contract}")


def _once_each(counts: Counter[int], offsets: Collection[int], where: str) -> Iterator[Finding]:
    """Counts beside the offsets that there are."""
    expected = set(offsets)
    if without := sum(1 for offset in expected if counts[offset] == 0):
        yield Finding("input-without-end", where, without)
    if twice := sum(1 for offset, count in counts.items() if offset in expected and count > 1):
        yield Finding("input-with-two-ends", where, twice)
    if nowhere := sum(1 for offset in counts if offset not in expected):
        yield Finding("end-without-input", where, nowhere)


def _by_record(read: ReadOut, audit: str, topics: tuple[str, ...]) -> Iterator[Finding]:
    """A release or an operation is of one contract, which is the only one that it can end for."""
    ends = ends_of(read, audit)
    for topic in topics:
        offsets: defaultdict[int, set[int]] = defaultdict(set)
        for row in read.rows(topic):
            if not is_heartbeat(row.key, row.value):
                offsets[row.partition].add(row.offset)
        told = {partition for of, partition in ends if of == topic}
        for partition in sorted(offsets.keys() | told):
            counts = sum(ends.get((topic, partition), {}).values(), Counter())
            counts += read.aside.get((topic, partition), Counter())
            yield from _once_each(counts, offsets[partition], f"{topic}/{partition}")
    yield from _nowhere({place for place in ends if place[0] not in topics})


def _nowhere(places: Collection[tuple[str, int]]) -> Iterator[Finding]:
    for topic, partition in sorted(places):
        yield Finding("end-without-input", f"{topic}/{partition}")
