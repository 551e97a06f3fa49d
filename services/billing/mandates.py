"""SEPA mandates: references, end-to-end ids, and the first day on which KING may collect."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from shared.events.shapes import Payer

AMSTERDAM = ZoneInfo("Europe/Amsterdam")

FIXED_HOLIDAYS = ((1, 1), (5, 1), (12, 25), (12, 26))


def mandate_key(payer: Payer, office_code: str, order_reference: str) -> str:
    """Whose mandate an order falls under.

    An office that pays for many clients signs one mandate once; any other payer signs one for
    each order.
    """
    return f"office/{office_code}" if payer.kind == "office" else f"order/{order_reference}"


def mandate_reference(order_reference: str) -> str:
    """The mandate's own reference: at most 35 of `A-Z 0-9 -`, as banks accept everywhere."""
    return f"M{order_reference.removeprefix('O')}"


def end_to_end_id(order_reference: str, attempt: int) -> str:
    """The id of one attempt to collect, unique for ever (ISO 20022, at most 35 characters)."""
    return f"{order_reference}-{attempt}"


def business_day(moment: datetime) -> date:
    """The date in the Netherlands, which is what stands on documents and in bank files."""
    return moment.astimezone(AMSTERDAM).date()


def collect_on(requested: date, prenotification_days: int) -> date:
    """The first banking day after the pre-notification term."""
    day = requested + timedelta(days=prenotification_days)
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
