"""Days and months of a site's time zone as stretches of UTC.

A local day begins at its first instant: 00:00, or later where the clock skips midnight (Cairo
2026-04-24, Havana 2026-03-08, Santiago 2026-09-06). It may last 23, 24, 24.5 or 25 hours.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAYS_SHOWN = 7
_DAY = timedelta(days=1)


class Period(NamedTuple):
    """From a moment up to, but without, another one; both UTC."""

    from_at: datetime
    until_at: datetime


def local_day(time_zone: str, now: datetime) -> date:
    """The date in the time zone at `now`."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def day_period(day: date, time_zone: str) -> Period:
    """The bounds of a local day."""
    return Period(_first_instant(day, time_zone), _first_instant(day + _DAY, time_zone))


def month_period(day: date, time_zone: str) -> Period:
    """The bounds of the local calendar month in which the day lies."""
    first = day.replace(day=1)
    next_first = (first + timedelta(days=31)).replace(day=1)
    return Period(_first_instant(first, time_zone), _first_instant(next_first, time_zone))


def last_days(time_zone: str, now: datetime) -> list[date]:
    """Today and the six local days before it, oldest first."""
    today = local_day(time_zone, now)
    return [today - _DAY * ago for ago in reversed(range(DAYS_SHOWN))]


def _first_instant(day: date, time_zone: str) -> datetime:
    """A skipped 00:00 is read with the offset before the gap: the moment at which the gap begins.

    That is the day's first instant as long as no gap begins before midnight and ends after it:
    true of every zone from 2015 to 2040 (tests/core/visits/test_calendar.py checks each day).
    """
    return datetime.combine(day, time.min, ZoneInfo(time_zone)).astimezone(UTC)
