"""Local days and months as stretches of UTC, on the days on which clocks change."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest

from core.visits.calendar import day_period, last_days, local_day, month_period
from core.visits.presence import COUNT_SLOT

TICK = timedelta(milliseconds=1)


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("time_zone", "day", "from_at", "until_at"),
    [
        ("UTC", "2026-11-22", "2026-11-22 00:00", "2026-11-23 00:00"),
        ("Asia/Kolkata", "2026-11-22", "2026-11-21 18:30", "2026-11-22 18:30"),
        ("Asia/Kathmandu", "2026-11-22", "2026-11-21 18:15", "2026-11-22 18:15"),
        ("Australia/Eucla", "2026-11-22", "2026-11-21 15:15", "2026-11-22 15:15"),
        ("Pacific/Chatham", "2026-06-21", "2026-06-20 11:15", "2026-06-21 11:15"),
        ("Pacific/Kiritimati", "2026-11-22", "2026-11-21 10:00", "2026-11-22 10:00"),
        ("Pacific/Niue", "2026-11-22", "2026-11-22 11:00", "2026-11-23 11:00"),
        # 23 and 25 hours
        ("Europe/Berlin", "2026-03-29", "2026-03-28 23:00", "2026-03-29 22:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24 22:00", "2026-10-25 23:00"),
        ("America/New_York", "2026-03-08", "2026-03-08 05:00", "2026-03-09 04:00"),
        ("America/New_York", "2026-11-01", "2026-11-01 04:00", "2026-11-02 05:00"),
        # half an hour
        ("Australia/Lord_Howe", "2026-10-04", "2026-10-03 13:30", "2026-10-04 13:00"),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04 13:00", "2026-04-05 13:30"),
        # 00:00 is skipped
        ("Africa/Cairo", "2026-04-24", "2026-04-23 22:00", "2026-04-24 21:00"),
        ("America/Havana", "2026-03-08", "2026-03-08 05:00", "2026-03-09 04:00"),
        ("America/Santiago", "2026-09-06", "2026-09-06 04:00", "2026-09-07 03:00"),
        # the day before has its last hour twice
        ("Africa/Cairo", "2026-10-29", "2026-10-28 21:00", "2026-10-29 22:00"),
        ("America/Santiago", "2026-04-04", "2026-04-04 03:00", "2026-04-05 04:00"),
        # 00:00 comes twice: the day begins at the first
        ("America/Havana", "2026-11-01", "2026-11-01 04:00", "2026-11-02 05:00"),
        # a date that Samoa never had
        ("Pacific/Apia", "2011-12-30", "2011-12-30 10:00", "2011-12-30 10:00"),
    ],
)
def test_local_day_begins_and_ends_with_its_first_and_last_instant(
    time_zone, day, from_at, until_at
):
    assert day_period(date.fromisoformat(day), time_zone) == (utc(from_at), utc(until_at))


@pytest.mark.parametrize(
    ("time_zone", "day", "from_at", "until_at"),
    [
        ("UTC", "2026-01-31", "2026-01-01 00:00", "2026-02-01 00:00"),
        ("UTC", "2028-02-29", "2028-02-01 00:00", "2028-03-01 00:00"),
        ("UTC", "2026-12-31", "2026-12-01 00:00", "2027-01-01 00:00"),
        ("Europe/Berlin", "2026-03-01", "2026-02-28 23:00", "2026-03-31 22:00"),
        ("Europe/Berlin", "2026-10-31", "2026-09-30 22:00", "2026-10-31 23:00"),
        ("Asia/Kathmandu", "2026-11-30", "2026-10-31 18:15", "2026-11-30 18:15"),
        ("Pacific/Chatham", "2026-04-30", "2026-03-31 10:15", "2026-04-30 11:15"),
    ],
)
def test_month_is_the_local_calendar_month(time_zone, day, from_at, until_at):
    assert month_period(date.fromisoformat(day), time_zone) == (utc(from_at), utc(until_at))


@pytest.mark.parametrize(
    ("time_zone", "now", "today"),
    [
        ("Asia/Kathmandu", utc("2026-11-22 18:15") - TICK, "2026-11-22"),
        ("Asia/Kathmandu", utc("2026-11-22 18:15"), "2026-11-23"),
        ("Africa/Cairo", utc("2026-04-23 22:00") - TICK, "2026-04-23"),
        ("Africa/Cairo", utc("2026-04-23 22:00"), "2026-04-24"),
        ("Pacific/Chatham", utc("2026-12-31 10:15") - TICK, "2026-12-31"),
        ("Pacific/Chatham", utc("2026-12-31 10:15"), "2027-01-01"),
    ],
)
def test_local_day_changes_at_local_midnight(time_zone, now, today):
    assert local_day(time_zone, now) == date.fromisoformat(today)


@pytest.mark.parametrize(
    ("time_zone", "now", "first", "last"),
    [
        ("UTC", "2026-03-01 12:00", "2026-02-23", "2026-03-01"),
        ("Europe/Berlin", "2026-03-29 22:30", "2026-03-24", "2026-03-30"),
        ("America/Havana", "2026-03-08 05:00", "2026-03-02", "2026-03-08"),
    ],
)
def test_last_days_are_seven_dates_in_a_row_up_to_today(time_zone, now, first, last):
    days = last_days(time_zone, utc(now))

    assert len(days) == 7
    assert (days[0], days[-1]) == (date.fromisoformat(first), date.fromisoformat(last))
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))


@pytest.mark.parametrize("year", [2026, 2027])
def test_every_day_of_every_zone_begins_at_its_first_instant_on_a_full_slot(year):
    for time_zone in sorted(available_timezones()):
        zone = ZoneInfo(time_zone)
        for number in range(365):
            day = date(year, 1, 1) + timedelta(days=number)
            from_at = day_period(day, time_zone).from_at
            assert from_at.astimezone(zone).date() == day, (time_zone, day)
            assert (from_at - TICK).astimezone(zone).date() < day, (time_zone, day)
            assert from_at.timestamp() % COUNT_SLOT.total_seconds() == 0, (time_zone, day)
