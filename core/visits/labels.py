"""Labels of lengths of time, rounded down, of visitors, and of where they came from."""

from collections.abc import Mapping
from datetime import timedelta

from core.enrich.browser import OTHER
from core.enrich.country import UNKNOWN_NAME, country_name
from core.enrich.source_table import SourceKind
from core.visits.liveness import is_idle_length
from core.visits.presence import ACTIVE_FOR

MINUTE = timedelta(minutes=1)
"""The unit of the labels: what changes within one is not seen in them."""

_SECOND = timedelta(seconds=1)

UNKNOWN_VISITOR = "Unknown visitor"

_KIND_LABELS: Mapping[str, str] = {
    SourceKind.DIRECT: "",
    SourceKind.INTERNAL: "own site",
    SourceKind.AI: "AI",
    SourceKind.EMAIL: "e-mail",
}


def activity_label(quiet: timedelta) -> str:
    """How long ago the last activity was: `Active`, `4m ago`, or from 10 minutes `Idle 12m`."""
    minutes = quiet // MINUTE
    if quiet < ACTIVE_FOR:
        return "Active"
    return f"Idle {minutes}m" if is_idle_length(quiet) else f"{minutes}m ago"


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


def visitor_label(name: str, browser: str, country: str) -> str:
    """Who a visitor is, in words: the name, else "Chrome, United States", else what is known of the
    two, else "Unknown visitor". Never an id. country: alpha-2 or ""."""
    if name:
        return name
    known = [
        word for word in (browser, country_name(country)) if word not in ("", OTHER, UNKNOWN_NAME)
    ]
    return ", ".join(known) or UNKNOWN_VISITOR


def returning_label(visit_number: int) -> str:
    """`2nd visit`, `3rd visit`, ...; "" for a first visit, and where visitors are not remembered."""
    return f"{_ordinal(visit_number)} visit" if visit_number > 1 else ""


def source_kind_label(kind: str) -> str:
    """What sort of place a source is, as a person says it: `search`, `paid`, `e-mail`; "" for direct."""
    return _KIND_LABELS.get(kind, kind)


def _ordinal(number: int) -> str:
    is_teen = number // 10 % 10 == 1
    ending = "th" if is_teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
