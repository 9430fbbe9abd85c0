"""Moments: aware UTC datetimes in rules and pages, whole milliseconds on the hot path."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def utc_now() -> datetime:
    """The moment now. Only the edges ask: a route, a page, a command."""
    return datetime.now(UTC)


def to_milliseconds(moment: datetime) -> int:
    """Whole milliseconds since the epoch; a naive datetime is refused with ValueError."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: moments are aware datetimes in UTC")
    return (moment - EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """The aware UTC datetime of a whole number of milliseconds since the epoch."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def iso_of(moment: datetime) -> str:
    """The moment for programs, in UTC: "2026-11-22T20:00:00.000Z"."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@cache
def milliseconds(length: timedelta) -> int:
    """The length in whole milliseconds. Cached: the lengths are few, and each event asks for some."""
    return length // _MILLISECOND


def length_for(moment: Any, length: timedelta) -> Any:
    """The length in the moment's unit: a timedelta for a datetime, else whole milliseconds."""
    return length if isinstance(moment, datetime) else milliseconds(length)


def lasts_until(end: Any, now: Any) -> Any:
    """Whether what ends at `end` goes on at `now`: at exactly that moment it is over.

    Moments are datetimes or whole milliseconds; `end` may also be a column of a table or of a
    frame: then the answer is a condition, or a series.
    """
    return end > now


def lasts_for(length: timedelta, since: Any, now: Any) -> Any:
    """Whether what lasts for the length after `since` goes on at `now`; see `lasts_until`.

    `since` stands alone in the comparison, so that a database can use the index of a column.
    """
    return lasts_until(since, now - length_for(now, length))
