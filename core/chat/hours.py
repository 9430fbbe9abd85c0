"""Business hours: when a site's chat button begins a chat; outside them it takes a message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

DAY = 24 * 60
"""Minutes."""

Hours = Sequence[Sequence[int] | None]
"""From and until of each day, Monday first, in minutes since midnight; None: closed. Empty: always open."""


def is_open(hours: Hours, time_zone: str, now: datetime) -> bool:
    """Whether `now` lies in the hours of its day, by the site's clock."""
    if not hours:
        return True
    local = now.astimezone(ZoneInfo(time_zone))
    day = hours[local.weekday()]
    return day is not None and day[0] <= local.hour * 60 + local.minute < day[1]


def are_hours(hours: Hours) -> bool:
    """Whether they are none, or those of seven days that each end after they begin."""
    return len(hours) in (0, 7) and all(
        day is None or (len(day) == 2 and 0 <= day[0] < day[1] <= DAY) for day in hours
    )
