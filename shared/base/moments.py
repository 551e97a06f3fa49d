"""Moments as they are written on the wire: RFC 3339, read in one way at every door."""

import re
from datetime import UTC, date, datetime, timedelta

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""Outside of these a moment is a slip of somebody's clock or program, not a fact of the trade."""

WRITTEN = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:)([0-9]{2})(\.[0-9]+)?"
    r"(Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])",
    re.ASCII,
)
LEAP_SECOND = "60"
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


class NotAMoment(ValueError):
    """It is no moment; the text says how one is written."""


def read_moment(value: object) -> datetime:
    """A moment in UTC, from a text of RFC 3339 (5.6) or a datetime with its offset.

    Small letters `t` and `z` are fine. A leap second is the second after it, since the calendar of
    Python has none.

    Raises:
        NotAMoment: it is something else, has no offset, or lies outside 2000 to 2100.
    """
    moment = value if isinstance(value, datetime) else _parsed(value)
    if moment.tzinfo is None:
        raise NotAMoment("a moment needs an offset, e.g. 2026-11-24T09:30:00Z")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        moment = LATEST
    if not EARLIEST <= moment < LATEST:
        raise NotAMoment("a moment must be RFC 3339, in the years 2000 to 2099")
    return moment


def read_day(value: object) -> date:
    """A day, from a text of RFC 3339 (`full-date`) or a date.

    Raises:
        NotAMoment: it is something else, or no day of the calendar.
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and DAY.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass  # Such as 30 February: told like anything else that is no day.
    raise NotAMoment("a day must be written as 2026-11-24")


def _parsed(value: object) -> datetime:
    written = WRITTEN.fullmatch(value.upper()) if isinstance(value, str) else None
    if written is None:
        raise NotAMoment("a moment must be RFC 3339 with an offset, e.g. 2026-11-24T09:30:00Z")
    minute, second, fraction, offset = written.groups()
    leaps = second == LEAP_SECOND
    try:
        moment = datetime.fromisoformat(f"{minute}{'59' if leaps else second}{offset}")
    except ValueError:
        raise NotAMoment("a moment must be RFC 3339, e.g. 2026-11-24T09:30:00Z") from None
    if leaps:
        return _after_leap_second(moment)
    return moment.replace(microsecond=int((fraction or ".0")[1:7].ljust(6, "0")))


def _after_leap_second(moment: datetime) -> datetime:
    """The moment after the last second of a day; leap seconds are only there (ITU-R TF.460)."""
    try:
        ends = moment.astimezone(UTC)
        if (ends.hour, ends.minute) == (23, 59):
            return ends + timedelta(seconds=1)
    except OverflowError:
        pass  # It lies at the end of the calendar, and is refused like any other.
    raise NotAMoment("a second 60 is only in the last minute of a day in UTC")
