"""Whether what the filter let go arrived, once, under one name, and what it took back is gone: invariants I2 and I3.

Opens nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from ops.demo.chain import Chain, Due, Sent, pair_of, step_of
from ops.demo.readout import Finding, ReadOut
from services.contract.audit import End
from services.contract.operations import Delete, ProviderRecord, ProviderRestriction, Restrict, Upsert
from services.contract.releases import Release, Restriction, Withdrawal
from services.contract.topology import FILTERING_AUDIT, PSEUDONYMISATION_AUDIT

UNCHANGED = "unchanged"
FINAL = frozenset({"superseded", "duplicate"})
"""Why a stage turns something down for good; what it turned down for another reason it may send later."""


def arrival_findings(chain: Chain) -> Iterator[Finding]:
    yield from _emission_counts(chain)
    yield from _operations(chain)
    yield from _names(chain)
    yield from _outcomes(chain)
    for provider in sorted(chain.read.policies):
        yield from _final_state(chain, provider)


_EMITTED: Mapping[End, type[Release | Withdrawal]] = {"released": Release, "erased": Withdrawal}


def _emission_counts(chain: Chain) -> Iterator[Finding]:
    """Each `released` or `erased` end that changed something is one emission, sweeps included; there is no other.

    On which lane a withdrawal goes is not in the account: what one person's input took back goes on the express one.
    """
    told: Counter[tuple[str, int, str]] = Counter()
    for _, entry in chain.read.accounts[FILTERING_AUDIT]:
        for contract, ends in entry.ends.items():
            for end, emitted in _EMITTED.items():
                for reason, ranges in ends.get(end, {}).items():
                    if reason != UNCHANGED:
                        count = sum(last - first + 1 for first, last in ranges)
                        told[emitted.__name__, entry.partition, contract] += count
    # Whether a hold restricted anything is not in the account either, for it may have done so before.
    counted = (each for each in chain.emissions if not isinstance(each[2], Restriction))
    sent = Counter((type(one).__name__, row.partition, pair_of(one)) for row, _, one in counted)
    for place in sorted(told.keys() | sent.keys()):
        if told[place] != sent[place]:
            emitted_as, partition, pair = place
            yield Finding("emissions-miscounted", f"{emitted_as}/{partition} {pair}", abs(told[place] - sent[place]))


def _operations(chain: Chain) -> Iterator[Finding]:
    parked, refused = _refused(chain.read)
    steps = Counter(step_of(row, emission) for row, _, emission in chain.emissions)
    for row, topic, emission in chain.emissions:
        step, where = step_of(row, emission), f"{topic}/{row.partition} {pair_of(emission)}"
        operations = [one for one in chain.operations.get(step, ()) if isinstance(one, _DUE[type(emission)])]
        place = (topic, row.partition, row.offset)
        if steps[step] > 1:
            yield Finding("seq-twice", where)
        if len(operations) > 1:
            yield Finding("operation-twice", where)
        if place in refused and operations:
            yield Finding("operation-though-refused", where)
        if place not in refused | parked and not operations:
            yield Finding("emission-without-operation", where)
    due = Counter((step_of(row, emission), _DUE[type(emission)]) for row, _, emission in chain.emissions)
    for step, operations_of_step in chain.operations.items():
        for operation in operations_of_step:
            if not due[step, type(operation)]:
                yield Finding("operation-without-emission", f"{step[1]}/{step[0]}")


_DUE: Mapping[type[Sent], type[Due]] = {Release: Upsert, Withdrawal: Delete, Restriction: Restrict}


Places = set[tuple[str, int, int]]


def _refused(read: ReadOut) -> tuple[Places, Places]:
    """What the pseudonymiser turned down but may still send once the policies allow, and what it never may."""
    parked: Places = set()
    refused = {(topic, partition, offset) for (topic, partition), offsets in read.aside.items() for offset in offsets}
    for _, entry in read.accounts[PSEUDONYMISATION_AUDIT]:
        for ends in entry.ends.values():
            for reason, ranges in ends.get("refused", {}).items():
                into = refused if reason in FINAL else parked
                for first, last in ranges:
                    into |= {(entry.topic, entry.partition, offset) for offset in range(first, last + 1)}
    return parked, refused


def _names(chain: Chain) -> Iterator[Finding]:
    """One person has one name for one contract, and no name serves twice."""
    names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row, _, emission in chain.emissions:
        for operation in chain.operations.get(step_of(row, emission), ()):
            names[pair_of(emission), emission.subject].add(operation.pseudonym)
    for (pair, _), pseudonyms in names.items():
        if len(pseudonyms) > 1:
            yield Finding("two-names-for-one-person", pair)
    bearers = Counter(pseudonym for pseudonyms in names.values() for pseudonym in pseudonyms)
    if shared := sum(1 for count in bearers.values() if count > 1):
        yield Finding("name-shared", "operations", shared)


def _outcomes(chain: Chain) -> Iterator[Finding]:
    """The ledger's last word on a name is of this operation, or of a later one."""
    for operations in chain.operations.values():
        for operation in operations:
            word = chain.outcomes.get(f"{pair_of(operation)}/{operation.pseudonym}")
            if word is None or word.seq < operation.seq:
                yield Finding("operation-without-outcome", pair_of(operation))


def _final_state(chain: Chain, provider: str) -> Iterator[Finding]:
    """What the provider has is what the last operation of each pair left it; a refused or deferred one may not yet."""
    known, policy = chain.known(provider), chain.read.policies[provider]
    due = {operation.pseudonym: operation for operation in chain.last.values() if operation.provider == provider}
    for pseudonym, operation in due.items():
        record, pair = known.get(pseudonym), pair_of(operation)
        if isinstance(operation, Delete):
            if record is not None:
                yield Finding("known-though-withdrawn", pair)
            continue
        word = chain.outcomes.get(f"{pair}/{pseudonym}")
        if word is None or word.outcome != "delivered":
            continue
        if isinstance(operation, Restrict):
            if record != (None if word.code == "never-attempted" else ProviderRestriction(restricted=True)):
                yield Finding("known-otherwise-than-released", pair)
            continue
        contract = policy.contract(operation.contract)
        if record is None:
            yield Finding("missing-though-released", pair)
        elif contract is None or record != ProviderRecord(
            kind=operation.kind, purpose=contract.purpose, fields=operation.fields
        ):
            yield Finding("known-otherwise-than-released", pair)
    if unknown := len(known.keys() - due.keys()):
        yield Finding("known-without-release", provider, unknown)
