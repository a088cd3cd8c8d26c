"""Why records and fields did not leave, by rule, provider, type of school and hour: the second tab. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, get_args

from services.console.accounts import ALL
from services.console.counts import DROPPED, HOURS_KEPT, QUARANTINED, Counts, Kind, counts_for_provider
from services.contract.audit import SchoolType

ENDS: Final = ("withheld", "held", DROPPED, "erased", "refused", QUARANTINED)
"""What did not leave, and what was taken back."""
SCHOOLS: Final[tuple[str, ...]] = get_args(SchoolType)
UNSAID: Final = "-"
"""In the place of a type of school: none is said."""
MOST_ROWS: Final = 120
NAMED: Final = 5
FIELDS: Final = 12
MOST_KNOWN: Final = 24 * HOURS_KEPT
"""Hours that are remembered added up; beyond it, all are forgotten."""


class Chosen(NamedTuple):
    """What is looked at; empty for all."""

    provider: str = ""
    end: str = ""
    school: str = ""


class ReasonRow(NamedTuple):
    """One code of one end, or one rule that keeps fields inside; `hours` are the last 24, oldest first."""

    end: str
    rule: str
    """Empty where a stage decided, and no rule."""
    code: str
    """Of fields, the rule again."""
    number: int
    """Inputs; of fields, how often any of them stayed inside."""
    providers: tuple[tuple[str, int], ...]
    """Whom it concerns most, with how often."""
    others: int
    """How many more providers it concerns."""
    schools: tuple[tuple[str, int], ...]
    """The types of school that are said, and `-` for where none is; empty where none at all is said."""
    fields: tuple[tuple[str, int], ...]
    more_fields: int
    hours: tuple[int, ...]


@dataclass(slots=True)
class _Sums:
    whom: Counter[str] = field(default_factory=Counter)
    schools: Counter[str] = field(default_factory=Counter)
    fields: Counter[str] = field(default_factory=Counter)

    def add(self, other: "_Sums") -> None:
        self.whom.update(other.whom)
        self.schools.update(other.schools)
        self.fields.update(other.fields)


_OfHour = dict[tuple[str, str], _Sums]
"""By end and reason; of fields, by rule."""


class Reasons:
    """Adds up the hours of `Counts` for each that is looked at; an hour that has not changed is not added up again."""

    def __init__(self) -> None:
        self._known: dict[tuple[Chosen, int], tuple[object, _OfHour]] = {}

    def rows(self, counts: Counts, now: float, chosen: Chosen) -> tuple[ReasonRow, ...]:
        """Most frequent first; what stayed inside of what was released comes last."""
        last = int(now) // 3600
        found: _OfHour = {}
        hours: dict[tuple[str, str], list[int]] = {}
        for place, hour in enumerate(range(last - HOURS_KEPT + 1, last + 1)):
            for key, sums in self._of(hour, counts.hours.get(hour, {}), chosen).items():
                found.setdefault(key, _Sums()).add(sums)
                hours.setdefault(key, [0] * HOURS_KEPT)[place] = sums.whom.total()
        rows = [_row(*key, sums, hours[key]) for key, sums in found.items()]
        rows.sort(key=lambda row: (row.end == DROPPED, -row.number, row.end, row.rule, row.code))
        return tuple(rows[:MOST_ROWS])

    def _of(self, hour: int, kinds: Mapping[Kind, int], chosen: Chosen) -> _OfHour:
        known = self._known.get((chosen, hour))
        if known is None or known[0] is not kinds:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            known = self._known[chosen, hour] = kinds, _added_up(kinds, chosen)
        return known[1]


def _added_up(kinds: Mapping[Kind, int], chosen: Chosen) -> _OfHour:
    found: _OfHour = {}
    for kind, number in kinds.items():
        if not _is_shown(kind, chosen):
            continue
        rule, _, name = kind.reason.partition("/") if kind.end == DROPPED else (kind.reason, "", "")
        sums = found.setdefault((kind.end, rule), _Sums())
        sums.whom[kind.provider or ALL] += number
        sums.schools[kind.school or UNSAID] += number
        if name:
            sums.fields[name] += number
    return found


def _is_shown(kind: Kind, chosen: Chosen) -> bool:
    return (
        kind.end in ENDS
        and counts_for_provider(kind.stage, kind.end)
        and (not chosen.end or kind.end == chosen.end)
        and (not chosen.provider or (kind.provider or ALL) in {chosen.provider, ALL})
        and (not chosen.school or (kind.school or UNSAID) == chosen.school)
    )


def _row(end: str, reason: str, sums: _Sums, hours: list[int]) -> ReasonRow:
    rule, _, code = (reason, "", reason) if end == DROPPED else reason.rpartition("/")
    named, fields = tuple(sums.whom.most_common(NAMED)), tuple(sums.fields.most_common(FIELDS))
    schools = tuple((kind, sums.schools[kind]) for kind in (*SCHOOLS, UNSAID) if sums.schools[kind])
    return ReasonRow(
        end, rule, code, sums.whom.total(), named, len(sums.whom) - len(named),
        () if [kind for kind, _ in schools] == [UNSAID] else schools, fields, len(sums.fields) - len(fields),
        tuple(hours),
    )  # fmt: skip
