from datetime import date

import pytest

from services.contract.register import ADEQUACY, ASSIGNED, EEA, FRANCE, OVERSEAS
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


def test_economic_area_is_the_union_its_outermost_regions_and_three() -> None:
    assert len(EEA) == 27 + 6 + 3
    assert FRANCE < EEA


def test_every_country_code_is_assigned() -> None:
    assert len(ASSIGNED) == 249
    assert (EEA | OVERSEAS | ADEQUACY.keys()) - ASSIGNED == set()


def test_register_of_adequacy_is_that_of_the_decisions() -> None:
    """Days of adoption, Official Journal; Brazil and the end for the United Kingdom as the rules give them."""
    register = {code: (entry.first_day, entry.last_day, entry.scope) for code, entry in ADEQUACY.items()}

    assert register == {
        "AD": (date(2010, 10, 19), None, None),
        "AR": (date(2003, 6, 30), None, None),
        "BR": (date(2026, 1, 26), None, None),
        "CA": (date(2001, 12, 20), None, "pipeda-commercial"),
        "CH": (date(2000, 7, 26), None, None),
        "FO": (date(2010, 3, 5), None, None),
        "GB": (date(2021, 6, 28), date(2031, 12, 27), None),
        "GG": (date(2003, 11, 21), None, None),
        "IL": (date(2011, 1, 31), None, None),
        "IM": (date(2004, 4, 28), None, None),
        "JE": (date(2008, 5, 8), None, None),
        "JP": (date(2019, 1, 23), None, "appi"),
        "KR": (date(2021, 12, 17), None, None),
        "NZ": (date(2012, 12, 19), None, None),
        "UY": (date(2012, 8, 21), None, None),
    }


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


def test_no_country_is_both_inside_and_adequate_or_undeclared() -> None:
    assert EEA & (OVERSEAS | ADEQUACY.keys()) == set()
    assert OVERSEAS & ADEQUACY.keys() == set()
    assert "US" not in ADEQUACY
