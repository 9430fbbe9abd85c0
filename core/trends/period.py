"""The days that a trend is told of: in the site's own time zone, and the days before them to compare with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from core.visits.calendar import Period, day_period, local_day

DAY = timedelta(days=1)


class Granularity(StrEnum):
    """How long a step of a series is."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True)
class TrendPeriod:
    """Local days of a site, from `first` to `last`, both included. Raises ValueError when `last` is before `first`."""

    first: date
    last: date
    time_zone: str

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"{self.last} is before {self.first}")

    @property
    def length(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1

    @property
    def days(self) -> list[date]:
        """Each day, the oldest first."""
        return [self.first + DAY * number for number in range(self.length)]

    @property
    def bounds(self) -> Period:
        """From the first instant of the first day up to that of the day after the last; UTC."""
        from_at = day_period(self.first, self.time_zone).from_at
        return Period(from_at, day_period(self.last, self.time_zone).until_at)

    def before(self) -> TrendPeriod:
        """The month before, of a whole calendar month; else as many days directly before."""
        if self == month_of(self.first, self.time_zone):
            return month_of(self.first - DAY, self.time_zone)
        length = DAY * self.length
        return TrendPeriod(self.first - length, self.last - length, self.time_zone)

    @property
    def shift(self) -> timedelta:
        """How far before each of these days that one lies with which it is compared."""
        return self.first - self.before().first

    def granularities(self) -> list[Granularity]:
        """The steps that make a readable series of it, the finest first: of at most 192 and at least 2 steps,
        where there is such a one."""
        if self.length == 1:
            return [Granularity.HOUR]
        steps = [Granularity.DAY, *([Granularity.WEEK] if self.length > 7 else [])]
        return [Granularity.HOUR, *steps] if self.length <= 8 else steps


def today(time_zone: str, now: datetime) -> TrendPeriod:
    """The local day of `now`."""
    day = local_day(time_zone, now)
    return TrendPeriod(day, day, time_zone)


def last_days(time_zone: str, now: datetime, number: int) -> TrendPeriod:
    """So many local days that end with that of `now`."""
    day = local_day(time_zone, now)
    return TrendPeriod(day - DAY * (number - 1), day, time_zone)


def month_of(day: date, time_zone: str) -> TrendPeriod:
    """The whole calendar month in which the day lies."""
    first = day.replace(day=1)
    last = (first + DAY * 31).replace(day=1) - DAY
    return TrendPeriod(first, last, time_zone)
