"""Moments: aware UTC datetimes in rules and pages, whole milliseconds on the hot path."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(moment: datetime) -> int:
    """Whole milliseconds since the epoch; a naive datetime is refused with ValueError."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone: moments are aware datetimes in UTC")
    return (moment - EPOCH) // _MILLISECOND


def from_milliseconds(milliseconds: int) -> datetime:
    """The aware UTC datetime of a whole number of milliseconds since the epoch."""
    return EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds(length: timedelta) -> int:
    """The length in whole milliseconds."""
    return length // _MILLISECOND
