"""Why records did not leave, by rule, provider and hour: what the second tab shows. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from services.console.accounts import ALL
from services.console.counts import HOURS_KEPT, QUARANTINED, Counts, Kind, counts_for_provider

ENDS: Final = ("withheld", "held", "erased", "refused", QUARANTINED)
"""What did not leave, and what was taken back."""
MOST_ROWS: Final = 120
NAMED: Final = 5


class ReasonRow(NamedTuple):
    """One code of one end; `hours` are the last 24, oldest first."""

    end: str
    rule: str
    """Empty where a stage decided, and no rule."""
    code: str
    number: int
    providers: tuple[tuple[str, int], ...]
    """Whom it concerns most, with how often."""
    others: int
    """How many more providers it concerns."""
    hours: tuple[int, ...]


def reasons(counts: Counts, now: float, provider: str, end: str) -> tuple[ReasonRow, ...]:
    """Most frequent first; `provider` and `end` empty for all."""
    last = int(now) // 3600
    found: dict[tuple[str, str], tuple[Counter[str], list[int]]] = {}
    for back in range(HOURS_KEPT):
        for kind, number in counts.hours.get(last - back, {}).items():
            if not _is_shown(kind, provider, end):
                continue
            whom, hours = found.setdefault((kind.end, kind.reason), (Counter(), [0] * HOURS_KEPT))
            whom[kind.provider or ALL] += number
            hours[HOURS_KEPT - 1 - back] += number
    rows = [_row(*of, *said) for of, said in found.items()]
    return tuple(sorted(rows, key=lambda row: (-row.number, row.end, row.rule, row.code))[:MOST_ROWS])


def _is_shown(kind: Kind, provider: str, end: str) -> bool:
    return (
        kind.end in ENDS
        and counts_for_provider(kind.stage, kind.end)
        and (not end or kind.end == end)
        and (not provider or (kind.provider or ALL) in {provider, ALL})
    )


def _row(end: str, reason: str, whom: Counter[str], hours: list[int]) -> ReasonRow:
    rule, _, code = reason.rpartition("/")
    named = tuple(whom.most_common(NAMED))
    return ReasonRow(end, rule, code, whom.total(), named, len(whom) - len(named), tuple(hours))


def by_end(rows: tuple[ReasonRow, ...]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row.end] += row.number
    return found
