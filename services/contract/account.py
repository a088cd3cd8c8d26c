"""How the account of one batch is gathered, record by record, while it is decided."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.contract.audit import AnySchool, AuditEntry, End, OffsetRange, SchoolType, Stage
from services.contract.reasons import Rule

Ranges = list[list[int]]


class _Drop:
    """What one contract was not told of those who were ruled on alike, and of how many."""

    __slots__ = ("fields", "times")

    def __init__(self, fields: Mapping[str, Rule]) -> None:
        self.fields = fields
        self.times = 1


class Account:
    """Gathers the ends of one batch, in the order of its offsets, into an `AuditEntry`."""

    def __init__(self, stage: Stage, topic: str, partition: int, records: int) -> None:
        self._of = (stage, topic, partition)
        self.records = records
        self._ends: dict[tuple[str, End, str], Ranges] = {}
        self._schools: dict[SchoolType, Ranges] = {}
        self._drops: dict[tuple[str, AnySchool, int], _Drop] = {}
        """By contract, type of school, and which object the fields are: all who are ruled on alike share it."""
        self._vouched: tuple[datetime, Mapping[str, int]] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say: of heartbeats alone that are not due, or of a tick at which nothing was."""
        return not self.records and not self._ends and self._vouched is None

    def count(self, inputs: int) -> None:
        """Take that many more inputs into the account; fewer, for records that are none (heartbeats)."""
        self.records += inputs

    def end(self, offset: int, contract: str, end: End, reason: str) -> None:
        """Record how the input at `offset` ended for `<provider>/<contract>`, or for `-`, all of them."""
        ranges = self._ends.get((contract, end, reason))
        if ranges is None:
            self._ends[contract, end, reason] = [[offset, offset]]
        elif (latest := ranges[-1])[1] >= offset - 1:
            latest[1] = offset
        else:
            ranges.append([offset, offset])

    def school(self, offset: int, kind: SchoolType) -> None:
        """Record that the input at `offset` is of a pupil of such a school."""
        ranges = self._schools.get(kind)
        if ranges is None:
            self._schools[kind] = [[offset, offset]]
        elif (latest := ranges[-1])[1] >= offset - 1:
            latest[1] = offset
        else:
            ranges.append([offset, offset])

    def drop(self, contract: str, kind: SchoolType | None, fields: Mapping[str, Rule]) -> None:
        """Record which fields stayed inside, and why, when somebody of such a school was released."""
        key: tuple[str, AnySchool, int] = (contract, kind or "-", id(fields))
        known = self._drops.get(key)
        if known is None:
            self._drops[key] = _Drop(fields)
        else:
            known.times += 1

    def vouch(self, until: datetime, caught_up: Mapping[str, int]) -> None:
        """Say up to when all that families decided is applied, and where the topics ended of which nothing waits."""
        self._vouched = until, caught_up

    def halves(self) -> "tuple[Account, Account]":
        """The same of some contracts, and of the others: each is an account, where one of all is too large to write."""
        contracts = sorted({contract for contract, _, _ in self._ends})
        middle = len(contracts) // 2
        return self._of_contracts(frozenset(contracts[:middle])), self._of_contracts(frozenset(contracts[middle:]))

    def _of_contracts(self, contracts: frozenset[str]) -> "Account":
        stage, topic, partition = self._of
        made = Account(stage, topic, partition, self.records)
        made._ends = {key: ranges for key, ranges in self._ends.items() if key[0] in contracts}
        made._drops = {key: drop for key, drop in self._drops.items() if key[0] in contracts}
        made._schools, made._vouched = self._schools, self._vouched
        return made

    @property
    def contracts(self) -> int:
        """How many it speaks of."""
        return len({contract for contract, _, _ in self._ends})

    def entry(self, offsets: tuple[int, int], at: datetime, policies: Mapping[str, int]) -> AuditEntry:
        """Close the account of the batch that spans `offsets`, first and last."""
        stage, topic, partition = self._of
        ends: dict[str, dict[End, dict[str, tuple[OffsetRange, ...]]]] = {}
        for (contract, end, reason), ranges in self._ends.items():
            ends.setdefault(contract, {}).setdefault(end, {})[reason] = _closed(ranges)
        # What is gathered here needs no proof: it may be thousands of ranges a batch.
        said: dict[str, Any] = {
            "stage": stage, "topic": topic, "partition": partition, "first": offsets[0], "last": offsets[1],
            "records": self.records, "at": at, "policies": policies, "ends": ends,
        }  # fmt: skip
        if self._schools:
            said["schools"] = {kind: _closed(ranges) for kind, ranges in self._schools.items()}
        if self._drops:
            said["dropped"] = self._dropped()
        if self._vouched is not None:
            said["applied_until"], caught_up = self._vouched
            if caught_up:
                said["caught_up"] = caught_up
        return AuditEntry.model_construct(**said)

    def _dropped(self) -> dict[str, dict[AnySchool, dict[Rule, dict[str, int]]]]:
        found: dict[str, dict[AnySchool, dict[Rule, dict[str, int]]]] = {}
        for (contract, kind, _), drop in self._drops.items():
            by_rule = found.setdefault(contract, {}).setdefault(kind, {})
            times = drop.times
            for name, rule in drop.fields.items():
                fields = by_rule.get(rule)
                if fields is None:
                    by_rule[rule] = {name: times}
                else:
                    fields[name] = fields.get(name, 0) + times
        return found


def _closed(ranges: Ranges) -> tuple[OffsetRange, ...]:
    return tuple([(each[0], each[1]) for each in ranges])
