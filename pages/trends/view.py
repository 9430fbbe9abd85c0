"""What an analyst wants the trends to tell: it stands in the page's address, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from core.enrich.text import clean
from core.trends import (
    NO_FILTERS,
    Granularity,
    TrendFilters,
    TrendPeriod,
    last_days,
    month_of,
    today,
)
from core.visits.calendar import local_day
from pages.parts.address import address, change_address


class Range(StrEnum):
    """The days that can be chosen; the words stand in the address."""

    TODAY = "today"
    WEEK = "7d"
    DAYS_30 = "30d"
    MONTH = "month"
    CUSTOM = "custom"


RANGES = {
    Range.TODAY: "Today",
    Range.WEEK: "7 days",
    Range.DAYS_30: "30 days",
    Range.MONTH: "This month",
    Range.CUSTOM: "Other days",
}


class TrendPart(StrEnum):
    """The tabs; the words stand in the address."""

    OVERVIEW = "overview"
    FUNNEL = "funnel"
    CHATS = "chats"


PARTS = {TrendPart.OVERVIEW: "Overview", TrendPart.FUNNEL: "Funnel", TrendPart.CHATS: "Chats"}

FILTERS = {
    "source": "Source",
    "campaign": "Campaign",
    "country": "Country",
    "device": "Device",
    "browser": "Browser",
    "entry_page": "Entry Page",
    "exit_page": "Exit Page",
    "page": "Page",
    "context": "Context",
    "returning": "Visitors",
}
"""The fields of `TrendFilters`, with what they are called."""

MOST_DAYS = 1_100
"""Of other days: three years."""

OLDEST_DAY = date(2000, 1, 1)
"""No visit is older; before the first days of the calendar there are none to compare with."""

EMPTY = "~"
"""What stands in the address for the value "", and before a value that begins with it."""

LONGEST_VALUE = 2_000

OF_ANY_SITE = ("range", "from", "to", "by", "part")
"""What in the address means the same of another site."""

_IN_ADDRESS = (*OF_ANY_SITE, *FILTERS)


@dataclass(frozen=True)
class TrendView:
    """first, last: of other days only. by: None is the usual one of these days."""

    range: Range = Range.WEEK
    first: date | None = None
    last: date | None = None
    by: Granularity | None = None
    part: TrendPart = TrendPart.OVERVIEW
    filters: TrendFilters = NO_FILTERS

    def period(self, time_zone: str, now: datetime) -> TrendPeriod:
        """The days in this time zone; other days end today at the latest."""
        if self.range is Range.TODAY:
            return today(time_zone, now)
        if self.range is Range.WEEK:
            return last_days(time_zone, now, 7)
        if self.range is Range.DAYS_30:
            return last_days(time_zone, now, 30)
        newest = local_day(time_zone, now)
        if self.range is Range.MONTH:
            return month_of(newest, time_zone)
        last = max(min(self.last or newest, newest), OLDEST_DAY)
        first = min(self.first or last, last)
        return TrendPeriod(max(first, last - timedelta(days=MOST_DAYS - 1)), last, time_zone)

    def toggled(self, name: str, value: str) -> TrendView:
        """The view with this filter set, or cleared when it was set before."""
        chosen = None if getattr(self.filters, name) == value else value
        return replace(self, filters=replace(self.filters, **{name: chosen}))

    def cleared(self, name: str) -> TrendView:
        """The view without this filter, or, for "all", without any."""
        if name in FILTERS:
            return replace(self, filters=replace(self.filters, **{name: None}))
        return replace(self, filters=NO_FILTERS) if name == "all" else self

    def chosen(self) -> Mapping[str, str]:
        """The value of each filter that is set."""
        values = {field.name: getattr(self.filters, field.name) for field in fields(self.filters)}
        return {name: value for name, value in values.items() if value is not None}

    def parameters(self) -> dict[str, str]:
        """What stands in the address: only what differs from the default."""
        is_custom = self.range is Range.CUSTOM
        texts = {
            "range": "" if self.range is Range.WEEK else self.range.value,
            "from": f"{self.first:%Y-%m-%d}" if is_custom and self.first else "",
            "to": f"{self.last:%Y-%m-%d}" if is_custom and self.last else "",
            "by": self.by.value if self.by else "",
            "part": "" if self.part is TrendPart.OVERVIEW else self.part.value,
        }
        return {name: text for name, text in texts.items() if text} | {
            name: f"{EMPTY}{value}" if not value or value.startswith(EMPTY) else value
            for name, value in self.chosen().items()
        }


def view_in(parameters: Mapping[str, str]) -> TrendView:
    """The view that an address names; what it does not know is not chosen."""
    by, part = parameters.get("by"), parameters.get("part")
    chosen = {name: _value(parameters.get(name)) for name in FILTERS}
    return TrendView(
        range=Range(text) if (text := parameters.get("range")) in set(Range) else Range.WEEK,
        first=_day(parameters.get("from")),
        last=_day(parameters.get("to")),
        by=Granularity(by) if by in set(Granularity) else None,
        part=TrendPart(part) if part in set(TrendPart) else TrendPart.OVERVIEW,
        filters=TrendFilters(**chosen),
    )


def current_view() -> TrendView:
    """What the page's address says."""
    return view_in(address())


def keep_view(view: TrendView) -> None:
    """Write the view into the page's address; what else stands there stays."""
    rest = {name: value for name, value in address().items() if name not in _IN_ADDRESS}
    change_address(rest | view.parameters())


def _value(text: str | None) -> str | None:
    value = (text or "").removeprefix(EMPTY)
    return value if text and clean(value, LONGEST_VALUE) == value else None


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None
