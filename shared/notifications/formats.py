"""How a mail writes money, days and moments: by the recipient's language, in Dutch time."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from babel.numbers import format_currency

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
LOCALES = {"nl": "nl_NL", "en": "en_GB"}
AT = {"nl": "om", "en": "at"}
SHORT = {"nl": "d MMM HH:mm", "en": "d MMM HH:mm"}


def money(cents: int, language: str, currency: str = "EUR") -> str:
    """Whole cents as an amount: `€ 1.234,50` in Dutch, `€1,234.50` in English."""
    return format_currency(Decimal(cents) / 100, currency, locale=LOCALES[language])


def day(value: date | datetime | str, language: str) -> str:
    """A day in words, `30 november 2026`; a moment counts by the day it is in Amsterdam.

    Raises:
        ValueError: a moment without a time zone.
    """
    known = _read(value) if isinstance(value, str) else value
    if isinstance(known, datetime):
        known = _in_amsterdam(known).date()
    return format_date(known, "d MMMM y", locale=LOCALES[language])


def moment(value: datetime | str, language: str, *, short: bool = False) -> str:
    """A moment in Amsterdam, `30 november 2026 om 09:00`; short, for a text: `30 nov 09:00`.

    Raises:
        TypeError: it has no time.
        ValueError: it has no time zone.
    """
    read = _read(value) if isinstance(value, str) else value
    if not isinstance(read, datetime):
        raise TypeError("a day is no moment")
    there = _in_amsterdam(read)
    if short:
        written = format_datetime(there, SHORT[language], locale=LOCALES[language])
        return written.replace(".", "")
    return f"{day(there, language)} {AT[language]} {there:%H:%M}"


def iban_tail(iban: str) -> str:
    """The last four characters, enough for its owner to know it by."""
    return iban.replace(" ", "")[-4:]


IN_LANGUAGE: dict[str, Callable[..., str]] = {"money": money, "day": day, "moment": moment}
"""Filters that are told the language of the mail by the renderer."""


def _read(value: str) -> date:
    return datetime.fromisoformat(value) if len(value) > len("2026-11-30") else _day(value)


def _day(value: str) -> date:
    return date.fromisoformat(value)


def _in_amsterdam(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return value.astimezone(AMSTERDAM)
