"""The calendar of the trade: the date in the Netherlands, and the days on which banks settle."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

FIXED_HOLIDAYS = ((1, 1), (5, 1), (12, 25), (12, 26))
"""Month and day of the holidays of TARGET2 that fall on the same date each year."""


def business_day(moment: datetime) -> date:
    """The date in the Netherlands, which is what stands on documents and in bank files."""
    return moment.astimezone(AMSTERDAM).date()


def business_year(moment: datetime) -> int:
    """The year in the Netherlands, which is the year in the numbers that people read."""
    return business_day(moment).year


def next_banking_day(day: date) -> date:
    """The day itself where banks settle on it, else the first day after it on which they do."""
    while not is_banking_day(day):
        day += timedelta(days=1)
    return day


def is_banking_day(day: date) -> bool:
    """Whether TARGET2 settles on this day (ECB decision of 14 December 2000)."""
    easter = easter_sunday(day.year)
    holidays = {date(day.year, month, number) for month, number in FIXED_HOLIDAYS}
    holidays |= {easter - timedelta(days=2), easter + timedelta(days=1)}
    return day.weekday() < 5 and day not in holidays


def easter_sunday(year: int) -> date:
    """Easter in the Gregorian calendar, by the anonymous computus (Meeus, Jones, Butcher)."""
    golden = year % 19
    century, rest = divmod(year, 100)
    leap, century_rest = divmod(century, 4)
    correction = (century + 8) // 25
    shift = (century - correction + 1) // 3
    epact = (19 * golden + century - leap - shift + 15) % 30
    quarter, quarter_rest = divmod(rest, 4)
    weekday = (32 + 2 * century_rest + 2 * quarter - epact - quarter_rest) % 7
    month_shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * month_shift + 114, 31)
    return date(year, month, day + 1)
