"""Labels of lengths of time, rounded down, and of visitors."""

from collections.abc import Mapping
from datetime import timedelta

from core.visits.liveness import is_idle
from core.visits.presence import ACTIVE_FOR

_MINUTE = timedelta(minutes=1)
_SECOND = timedelta(seconds=1)

SHORT_ID = 6
"""Characters of a visit's id that tell visitors apart on a page."""


def activity_label(quiet: timedelta) -> str:
    """How long ago the last activity was: `Active`, `4m ago`, or from 10 minutes `Idle 12m`."""
    minutes = quiet // _MINUTE
    if quiet < ACTIVE_FOR:
        return "Active"
    return f"Idle {minutes}m" if is_idle(quiet) else f"{minutes}m ago"


def duration_label(length: timedelta) -> str:
    """A length of time: `0s`, `42s`, `3m 05s`, `1h 05m`, `26h 00m`; never negative."""
    minutes, seconds = divmod(max(length // _SECOND, 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"


def visitor_name(attributes: Mapping[str, str]) -> str:
    """What the page calls the visitor in `identify`: the name, else the e-mail, else ""."""
    return attributes.get("name") or attributes.get("email") or ""


def visitor_label(visitor: str, visit_id: str) -> str:
    """The visitor's name, else "Visitor" and the beginning of the visit's id."""
    return visitor or f"Visitor {visit_id[:SHORT_ID]}"
