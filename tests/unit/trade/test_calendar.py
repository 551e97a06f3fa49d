"""The date in the Netherlands, and the days on which banks settle."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.trade.calendar import (
    business_day,
    business_year,
    easter_sunday,
    is_banking_day,
    next_banking_day,
)


@pytest.mark.parametrize(
    ("year", "easter"),
    [
        (2000, date(2000, 4, 23)),
        (2008, date(2008, 3, 23)),
        (2011, date(2011, 4, 24)),
        (2024, date(2024, 3, 31)),
        (2026, date(2026, 4, 5)),
        (2027, date(2027, 3, 28)),
        (2038, date(2038, 4, 25)),
    ],
)
def test_easter_falls_where_the_church_has_it(year: int, easter: date) -> None:
    assert easter_sunday(year) == easter


@pytest.mark.parametrize(
    "day",
    [
        date(2027, 1, 1),
        date(2026, 4, 3),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 12, 25),
        date(2028, 12, 26),
        date(2026, 11, 28),
        date(2026, 11, 29),
    ],
    ids=["New Year", "Good Friday", "Easter Monday", "1 May", "Christmas", "Boxing Day",
         "Saturday", "Sunday"],
)  # fmt: skip
def test_banks_do_not_settle_on_this_day(day: date) -> None:
    assert not is_banking_day(day)


@pytest.mark.parametrize("day", [date(2026, 4, 27), date(2026, 5, 5), date(2026, 5, 14)])
def test_dutch_holidays_that_banks_do_not_keep_are_banking_days(day: date) -> None:
    # King's Day, Liberation Day and Ascension Day are no holidays of the euro's settlement system.
    assert is_banking_day(day)


@pytest.mark.parametrize(
    ("day", "banking_day"),
    [
        (date(2026, 12, 7), date(2026, 12, 7)),
        (date(2026, 12, 12), date(2026, 12, 14)),
        (date(2026, 12, 25), date(2026, 12, 28)),
        (date(2026, 4, 3), date(2026, 4, 7)),
        (date(2027, 1, 1), date(2027, 1, 4)),
    ],
    ids=["a weekday", "over a weekend", "over Christmas", "over Easter", "over New Year"],
)
def test_the_next_banking_day_is_the_day_itself_or_the_first_one_after(
    day: date, banking_day: date
) -> None:
    assert next_banking_day(day) == banking_day


@given(st.dates(date(2020, 1, 1), date(2090, 12, 31)))
def test_the_next_banking_day_is_never_further_than_a_long_weekend(day: date) -> None:
    banking_day = next_banking_day(day)
    assert 0 <= (banking_day - day).days <= 5
    assert is_banking_day(banking_day)


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2026, 11, 23, 22, 59, tzinfo=UTC), date(2026, 11, 23)),
        (datetime(2026, 11, 23, 23, 0, tzinfo=UTC), date(2026, 11, 24)),
        (datetime(2026, 7, 1, 22, 0, tzinfo=UTC), date(2026, 7, 2)),
    ],
)
def test_the_date_is_that_of_amsterdam(moment: datetime, day: date) -> None:
    assert business_day(moment) == day


def test_the_year_of_a_number_is_the_one_in_the_netherlands() -> None:
    assert business_year(datetime(2026, 12, 31, 23, 30, tzinfo=UTC)) == 2027
    assert business_year(datetime(2026, 12, 31, 22, 30, tzinfo=UTC)) == 2026
