from datetime import date

import pytest

from services.filtering.policy import age_on
from services.filtering.restriction import months_later
from services.filtering.unknown import UNKNOWN, Answer, Maybe, Period


@pytest.mark.parametrize(
    ("today", "birth_date", "age"),
    [
        (date(2026, 5, 2), date(2011, 5, 3), 14),
        (date(2026, 5, 3), date(2011, 5, 3), 15),
        (date(2027, 2, 28), date(2012, 2, 29), 14),
        (date(2027, 3, 1), date(2012, 2, 29), 15),
        (date(2028, 2, 28), date(2012, 2, 29), 15),
        (date(2028, 2, 29), date(2012, 2, 29), 16),
        (date(2026, 1, 1), date(2026, 1, 1), 0),
    ],
)
def test_age_turns_on_the_birthday(today: date, birth_date: date, age: int) -> None:
    assert age_on(today, birth_date) == age


@pytest.mark.parametrize(
    ("day", "later"),
    [
        (date(2026, 1, 31), (2026, 4, 30)),
        (date(2025, 11, 30), (2026, 2, 28)),
        (date(2027, 11, 29), (2028, 2, 29)),
        (date(2026, 9, 15), (2026, 12, 15)),
        (date(2026, 10, 1), (2027, 1, 1)),
        (date(9999, 12, 31), (10000, 3, 31)),
    ],
)
def test_three_months_later_is_the_same_day_or_the_last(day: date, later: tuple[int, int, int]) -> None:
    assert months_later(day, 3) == later


@pytest.mark.parametrize(
    ("start", "until", "today", "covers"),
    [
        (date(2026, 1, 1), None, date(2026, 1, 1), True),
        (date(2026, 1, 1), date(2026, 1, 1), date(2026, 1, 1), True),
        (date(2026, 1, 2), None, date(2026, 1, 1), False),
        (date(2025, 1, 1), date(2025, 12, 31), date(2026, 1, 1), False),
        (None, None, date(2026, 1, 1), False),
        (UNKNOWN, None, date(2026, 1, 1), UNKNOWN),
        (UNKNOWN, date(2025, 12, 31), date(2026, 1, 1), False),
        (date(2026, 1, 1), UNKNOWN, date(2026, 1, 1), UNKNOWN),
        (date(2026, 1, 2), UNKNOWN, date(2026, 1, 1), False),
        (date(2026, 1, 1), None, UNKNOWN, UNKNOWN),
        (date(2026, 1, 1), date(2026, 1, 1), UNKNOWN, UNKNOWN),
        (None, UNKNOWN, UNKNOWN, False),
    ],
)
def test_period_covers_its_bounds_and_knows_what_it_does_not(
    start: Maybe[date | None], until: Maybe[date | None], today: Maybe[date], covers: Answer
) -> None:
    assert Period(start, until).covers(today) is covers
