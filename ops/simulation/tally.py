"""What came of everybody, counted; knows nobody."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, get_args

import orjson

from ops.simulation.chain import Outcome
from services.contract.audit import End
from services.contract.policies import ProviderPolicy
from services.contract.reasons import REASONS, STAGES, Meaning


@dataclass(slots=True)
class OfContract:
    """One contract: people by end and reason; of the released, the fields that leave and those that stay, by rule."""

    records: int = 0
    ends: Counter[tuple[End, str]] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """All contracts of one provider."""

    policy: ProviderPolicy
    people: int = 0
    without_image: int = 0
    """Known by a patch or a consent alone: held under every contract."""
    contracts: dict[str, OfContract] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.contracts = {contract.id: OfContract() for contract in self.policy.contracts}

    def count(self, outcome: Outcome) -> None:
        of = self.contracts[outcome.decided.pair.partition("/")[2]]
        of.ends[outcome.end, outcome.reason] += 1
        if outcome.seen is not None:
            of.records += 1
            of.fields.update(list(orjson.loads(outcome.seen.record)["fields"]))
            of.dropped.update(outcome.decided.dropped.items())

    def to_json(self) -> dict[str, Any]:
        return {
            "provider": self.policy.provider,
            "people": self.people,
            "without_image": self.without_image,
            "contracts": [
                {
                    "contract": name,
                    "ends": [
                        {"end": end, "reason": reason, "people": count, "sentence": meaning_of(reason).sentence,
                         "action": meaning_of(reason).action}
                        for end, reason, count in in_order(of)
                    ],
                    "records": of.records,
                    "fields": dict(sorted(of.fields.items())),
                    "dropped": [
                        {"field": name, "rule": rule, "people": count}
                        for (name, rule), count in sorted(of.dropped.items())
                    ],
                }
                for name, of in self.contracts.items()
            ],
        }  # fmt: skip


def in_order(of: OfContract) -> list[tuple[End, str, int]]:
    """By end, as the contract lists them, then the most frequent reason first."""
    order = get_args(End)
    rows = [(end, reason, count) for (end, reason), count in of.ends.items()]
    return sorted(rows, key=lambda row: (order.index(row[0]), -row[2], row[1]))


def meaning_of(reason: str) -> Meaning:
    """`<rule>/<code>` where a rule decided, `<code>` where a stage did."""
    code: Any = reason.rpartition("/")[2]
    return REASONS[code] if code in REASONS else STAGES[code]
