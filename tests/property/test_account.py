from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.contract.account import Account
from services.contract.audit import End

ENDS: tuple[End, ...] = ("released", "withheld", "held")
told = st.dictionaries(
    st.tuples(st.integers(0, 40), st.sampled_from(("-", "a/1", "b/1"))),
    st.tuples(st.sampled_from(ENDS), st.sampled_from(("x", "y"))),
)


@given(told)
def test_ranges_hold_every_end_exactly_once(ends: dict[tuple[int, str], tuple[End, str]]) -> None:
    account = Account("filtering", "in", 0, len(ends))
    for (offset, contract), (end, reason) in sorted(ends.items()):
        account.end(offset, contract, end, reason)
    entry = account.entry((0, 40), datetime(2026, 9, 15, tzinfo=UTC), {})
    found = [
        ((offset, contract), (end, reason))
        for contract, by_end in entry.ends.items()
        for end, reasons in by_end.items()
        for reason, ranges in reasons.items()
        for first, last in ranges
        for offset in range(first, last + 1)
    ]

    assert len(found) == len(ends)
    assert dict(found) == ends
