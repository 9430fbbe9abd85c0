"""The steps of a series: local hours, days or weeks of a period, each named by its local begin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pandas as pd

from core.trends.period import Granularity, TrendPeriod
from core.visits.calendar import Period, day_period
from core.visits.presence import COUNT_SLOT

_WEEK_DAYS = 7


def steps_of(local: Any, granularity: Granularity, period: TrendPeriod) -> Any:
    """The step in which each local moment lies; weeks are from Monday on, and the first may begin within."""
    if granularity is Granularity.HOUR:
        return local.dt.floor("h")
    day = local.dt.normalize()
    if granularity is Granularity.DAY:
        return day
    monday = cast(Any, day - pd.to_timedelta(day.dt.weekday, unit="D"))
    return monday.where(monday >= pd.Timestamp(period.first), pd.Timestamp(period.first))


def steps(period: TrendPeriod, granularity: Granularity) -> list[datetime]:
    """All of them, in their order. An hour that the clock repeats is one step; one that it leaves out is none."""
    moments = _local_slots(period)[1] if granularity is Granularity.HOUR else _midnights(period)
    found: list[Any] = sorted(set(steps_of(pd.Series(moments), granularity, period)))
    return [step.to_pydatetime() for step in found]


def step_bounds(period: TrendPeriod, granularity: Granularity) -> Mapping[datetime, Period]:
    """From the first instant of each step up to that after its last."""
    if granularity is Granularity.HOUR:
        return _hour_bounds(period)
    return {
        step: _bounds_of(step.date(), _last_day(step, granularity, period), period.time_zone)
        for step in steps(period, granularity)
    }


def bounds_before(period: TrendPeriod, granularity: Granularity) -> Mapping[datetime, Period]:
    """By the steps of the period, the bounds of those with which they are compared: they may be less in number."""
    before = period.before()
    if granularity is Granularity.HOUR:
        earlier = step_bounds(before, granularity)
        return {step + period.shift: bounds for step, bounds in earlier.items()}
    bounds: dict[datetime, Period] = {}
    for step in steps(period, granularity):
        first = step.date() - period.shift
        last = min(_last_day(step, granularity, period) - period.shift, before.last)
        if first <= last:
            bounds[step] = _bounds_of(first, last, period.time_zone)
    return bounds


def step_label(step: datetime, granularity: Granularity, period: TrendPeriod) -> str:
    """How it is called: "14:00", "28 Nov 2026", "23 Nov 2026 to 29 Nov 2026"."""
    day = day_label(step.date())
    if granularity is Granularity.HOUR:
        return f"{step:%H:%M}" if period.length == 1 else f"{day}, {step:%H:%M}"
    last = _last_day(step, granularity, period)
    return day if last == step.date() else f"{day} to {day_label(last)}"


def day_label(day: date) -> str:
    """A day as the pages write it: "28 Nov 2026"."""
    return f"{day.day} {day:%b %Y}"


def _last_day(step: datetime, granularity: Granularity, period: TrendPeriod) -> date:
    day = step.date()
    if granularity is Granularity.DAY:
        return day
    return min(day + timedelta(days=_WEEK_DAYS - 1 - day.weekday()), period.last)


def _hour_bounds(period: TrendPeriod) -> Mapping[datetime, Period]:
    """The slots of an hour follow each other, also of one that the clock repeats."""
    bounds: dict[datetime, Period] = {}
    for starts_at, local in zip(*_local_slots(period), strict=True):
        step = local.replace(minute=0)
        from_at = bounds[step].from_at if step in bounds else starts_at
        bounds[step] = Period(from_at, starts_at + COUNT_SLOT)
    return bounds


def _bounds_of(first: date, last: date, time_zone: str) -> Period:
    return Period(day_period(first, time_zone).from_at, day_period(last, time_zone).until_at)


def _midnights(period: TrendPeriod) -> list[datetime]:
    return [datetime.combine(day, time.min) for day in period.days]


def _local_slots(period: TrendPeriod) -> tuple[list[datetime], list[datetime]]:
    """The begin of each quarter of an hour of the period: the instants, and the local times without a zone."""
    bounds, zone = period.bounds, ZoneInfo(period.time_zone)
    number = (bounds.until_at - bounds.from_at) // COUNT_SLOT
    instants = [bounds.from_at + COUNT_SLOT * place for place in range(number)]
    return instants, [each.astimezone(zone).replace(tzinfo=None) for each in instants]
