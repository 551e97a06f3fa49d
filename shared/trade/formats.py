"""How mails and pages write money, days and moments: by the recipient's language, in Dutch time."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency

from shared.trade.calendar import AMSTERDAM

LOCALES = {"nl": "nl_NL", "en": "en_GB"}
TIME_PREPOSITIONS = {"nl": "om", "en": "at"}
DAY_PATTERN = "d MMMM y"
SHORT_MOMENT_PATTERN = "d MMM HH:mm"


# A catalogue has few prices and a day's mails few days: Babel reads its patterns anew each time.
KEPT = 1024


@lru_cache(KEPT)
def money(cents: int, language: str, currency: str = "EUR") -> str:
    """Whole cents as an amount: `€ 1.234,50` in Dutch, `€1,234.50` in English."""
    return format_currency(Decimal(cents) / 100, currency, locale=LOCALES[language])


def day(value: date | datetime | str, language: str) -> str:
    """A day in words, `30 november 2026`; a moment counts by the day it is in Amsterdam.

    Raises:
        ValueError: a moment without a time zone.
    """
    value = _parse(value) if isinstance(value, str) else value
    if isinstance(value, datetime):
        value = _in_amsterdam(value).date()
    return _day_in_words(value, language)


def moment(value: datetime | str, language: str, *, short: bool = False) -> str:
    """A moment in Amsterdam, `30 november 2026 om 09:00`; short, for a text: `30 nov 09:00`.

    Raises:
        TypeError: it has no time.
        ValueError: it has no time zone.
    """
    parsed = _parse(value) if isinstance(value, str) else value
    if not isinstance(parsed, datetime):
        raise TypeError("a day is no moment")
    local_time = _in_amsterdam(parsed)
    if short:
        text = format_datetime(local_time, SHORT_MOMENT_PATTERN, locale=LOCALES[language])
        return text.replace(".", "")
    return f"{day(local_time, language)} {TIME_PREPOSITIONS[language]} {local_time:%H:%M}"


def clock(value: datetime) -> str:
    """The time of day in Amsterdam, `10:02`: the same in every language.

    Raises:
        ValueError: a moment without a time zone.
    """
    return f"{_in_amsterdam(value):%H:%M}"


def iban_tail(iban: str) -> str:
    """The last four characters, enough for its owner to know it by."""
    return iban.replace(" ", "")[-4:]


def iban_groups(iban: str) -> str:
    """An IBAN in groups of four, as people read it (ISO 13616)."""
    return " ".join(iban[start : start + 4] for start in range(0, len(iban), 4))


LANGUAGE_FILTERS: dict[str, Callable[..., str]] = {"money": money, "day": day, "moment": moment}
"""Filters of templates that are called with the language of the reader."""


@lru_cache(KEPT)
def _day_in_words(value: date, language: str) -> str:
    return format_date(value, DAY_PATTERN, locale=LOCALES[language])


def _parse(text: str) -> date:
    """A moment where there is more than a date, else a day."""
    is_day = len(text) <= len("2026-11-30")
    return date.fromisoformat(text) if is_day else datetime.fromisoformat(text)


def _in_amsterdam(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return value.astimezone(AMSTERDAM)
