"""Moments of the wire: RFC 3339, and nothing that only some readers take."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from shared.base.moments import NotAMoment, read_day, read_moment

NINE = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-24T09:30:00Z", NINE),
        ("2026-11-24t09:30:00z", NINE),
        ("2026-11-24T10:30:00+01:00", NINE),
        ("2026-11-24T09:30:00-00:00", NINE),
        ("2026-11-24T09:30:00.25Z", NINE + timedelta(milliseconds=250)),
        ("2026-11-24T09:30:00.1234567891Z", NINE + timedelta(microseconds=123456)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2017-01-01T00:59:60.5+01:00", datetime(2017, 1, 1, tzinfo=UTC)),
        (datetime(2026, 11, 24, 10, 30, tzinfo=timezone(timedelta(hours=1))), NINE),
    ],
)
def test_a_moment_of_rfc_3339_is_read_in_utc(written: object, moment: datetime) -> None:
    assert read_moment(written) == moment
    assert read_moment(written).utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "written",
    [
        20261124,
        1764000000,
        1764000000.5,
        None,
        True,
        "",
        "1764000000",
        "20261124T093000Z",
        "2026-W48-2T09:30:00Z",
        "2026-328T09:30:00Z",
        "2026-11-24",
        "2026-11-24T09:30Z",
        "2026-11-24 09:30:00Z",
        "2026-11-24T09:30:00",
        "2026-11-24T24:00:00Z",
        "2026-11-24T09:30:00+24:00",
        "2026-11-24T09:30:00+0100",
        "2026-11-24T09:30:61Z",
        "2026-11-24T09:30:60Z",
        "2026-02-30T09:30:00Z",
        "٢٠٢٦-11-24T09:30:00Z",
        " 2026-11-24T09:30:00Z",
        "1999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+23:59",
        "2100-01-01T00:00:00Z",
        "9999-12-31T23:59:60-23:59",
        datetime(2026, 11, 24),
    ],
)
def test_what_is_no_moment_of_rfc_3339_or_of_our_time_is_refused(written: object) -> None:
    with pytest.raises(NotAMoment, match=r"RFC 3339|offset|second 60"):
        read_moment(written)


def test_a_day_is_read_as_it_is_written_on_paper() -> None:
    assert read_day("2026-11-24") == date(2026, 11, 24) == read_day(date(2026, 11, 24))


@pytest.mark.parametrize(
    "written",
    [20261124, 0, "20261124", "2026-W48-2", "2026-328", "2026-02-30", "2026-11-24T00:00:00Z", NINE],
)
def test_what_is_no_day_is_refused(written: object) -> None:
    with pytest.raises(NotAMoment, match="a day"):
        read_day(written)
