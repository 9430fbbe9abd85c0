"""A second, simple version of the rules: every visit is computed again from its whole history.

It shares only the words of the wire with core/, so that a fault in one shows in the other.
Moments are whole milliseconds since the epoch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

SECOND = 1_000
MINUTE = 60 * SECOND
CONTEXT_ORDER = ("In Checkout", "Cart", "Product", "Collection", "Search", "", "Purchased")


@dataclass(frozen=True)
class ModelEvent:
    """One event as the model sees it."""

    kind: str
    tab: str
    number: int
    at: int
    active_at: int
    path: str
    context: str
    focused: bool
    chat: str


@dataclass
class ModelVisit:
    """A visit and all that happened in it."""

    id: str
    opened_by: ModelEvent
    facts: dict[str, str]
    history: list[ModelEvent] = field(default_factory=list)
    views: dict[tuple[str, int], ModelEvent] = field(default_factory=dict)

    def take(self, event: ModelEvent) -> None:
        """Add the event: its page view always, to the history only when it is the tab's newest."""
        if event.kind == "v":
            self.views.setdefault((event.tab, event.number), event)
        if event.number > self.newest(event.tab):
            self.history.append(event)

    def newest(self, tab: str) -> int:
        return max((event.number for event in self.history if event.tab == tab), default=0)

    @property
    def started_at(self) -> int:
        return self.opened_by.at

    @property
    def last_seen_at(self) -> int:
        return max(event.at for event in self.history)

    @property
    def last_activity_at(self) -> int:
        moments = [self.started_at]
        for event in self.history:
            if event.kind == "v" or event.chat == "start":
                moments.append(event.at)
            elif event.kind in "ph":
                moments.append(event.active_at)
        return max(moments)

    def is_over_for(self, event: ModelEvent) -> bool:
        """Whether the visit has ended for this event. A late report of an activity may have extended it."""
        activity = [self.last_activity_at]
        if event.kind in "vph" and event.active_at - self.last_activity_at < 30 * MINUTE:
            activity.append(event.active_at)
        return event.at - max(activity) >= 30 * MINUTE

    def is_live(self, now: int) -> bool:
        return now - self.last_activity_at < 30 * MINUTE

    def is_in_view(self, now: int) -> bool:
        tabs = {event.tab for event in self.history}
        return any(self._is_tab_in_view(tab, now) for tab in tabs)

    def _is_tab_in_view(self, tab: str, now: int) -> bool:
        events = [event for event in self.history if event.tab == tab]
        newest = max(events, key=lambda event: event.number)
        return newest.kind != "h" and now - max(event.at for event in events) < 90 * SECOND

    def is_chatting(self, now: int) -> bool:
        last_report = None
        for event in self.history:
            if event.kind == "c":
                last_report = None if event.chat == "end" else max(event.at, last_report or 0)
        return last_report is not None and now - last_report < 20 * MINUTE

    def current(self) -> ModelEvent:
        """The view whose page is current: the newest, unless another tab has taken the focus."""
        shown: ModelEvent | None = None
        shown_tab, shown_at = "", 0
        pages: dict[str, ModelEvent] = {}
        for event in self.history:
            if event.kind == "v":
                pages[event.tab] = event
            takes_focus = event.kind == "v" or (event.kind == "p" and event.focused)
            if not takes_focus or (event.tab != shown_tab and event.at < shown_at):
                continue
            shown = pages.get(event.tab, event)
            shown_tab, shown_at = event.tab, max(event.at, shown_at)
        assert shown is not None
        return shown

    def row(self, now: int) -> dict[str, Any]:
        """What the table should show."""
        in_view = self.is_in_view(now)
        quiet = max(0, now - self.last_activity_at)
        on_site = (now if in_view else self.last_seen_at) - self.started_at
        return {
            "id": self.id,
            "status": "Chatting" if self.is_chatting(now) else "Browsing",
            "in_view": in_view,
            "dim": quiet >= 10 * MINUTE,
            "path": self.current().path,
            "page_context": self.current().context,
            "page_count": len(self.views),
            "time_on_site": max(0, on_site) // SECOND,
            "activity_label": _activity(quiet // MINUTE),
            **self.facts,
        }

    def attention(self, now: int) -> tuple[Any, ...]:
        """The sort key of the default order."""
        row = self.row(now)
        return (
            row["dim"],
            CONTEXT_ORDER.index(row["page_context"]),
            not row["in_view"],
            -self.last_activity_at,
            self.id,
        )


def _activity(minutes: int) -> str:
    if minutes < 1:
        return "Active"
    return f"{minutes}m ago" if minutes < 10 else f"Idle {minutes}m"


class Model:
    """Every visit of a site."""

    def __init__(self, time_zone: str) -> None:
        self.zone = ZoneInfo(time_zone)
        self.chains: dict[str, list[ModelVisit]] = {}
        self.visits: dict[str, ModelVisit] = {}

    def accepts(self, visit_id: str, events: list[ModelEvent]) -> bool:
        """Whether a beacon changes anything: a page view always does."""
        visit = self.visits.get(visit_id)
        return any(
            event.kind == "v" or (visit is not None and not visit.is_over_for(event))
            for event in events
        )

    def take(
        self, visit_id: str, events: list[ModelEvent], facts: dict[str, str], answered_id: str
    ) -> None:
        """Take an accepted beacon; answered_id: the visit that the collector named."""
        visit = self.visits.get(visit_id)
        for event in events:
            if visit is None or visit.is_over_for(event):
                if event.kind != "v":
                    continue
                live = [v for v in self._chain(visit_id) if not v.is_over_for(event)]
                visit = live[0] if live else self._open(visit_id, answered_id, event, facts)
            visit.take(event)

    def _open(
        self, visit_id: str, answered_id: str, event: ModelEvent, facts: dict[str, str]
    ) -> ModelVisit:
        visit = ModelVisit(answered_id, event, facts)
        self.visits[answered_id] = visit
        self._chain(visit_id).append(visit)
        if answered_id != visit_id:
            self.chains[answered_id] = [visit]
        return visit

    def _chain(self, visit_id: str) -> list[ModelVisit]:
        return self.chains.setdefault(visit_id, [])

    def rows(self, now: int) -> list[dict[str, Any]]:
        """The live list in its default order."""
        live = [visit for visit in self.visits.values() if visit.is_live(now)]
        return [visit.row(now) for visit in sorted(live, key=lambda visit: visit.attention(now))]

    def cards(self, now: int) -> dict[str, int]:
        """The numbers of the cards."""
        rows = self.rows(now)
        today = self._local(now)
        started = [self._local(visit.started_at) for visit in self.visits.values()]
        chatting = sum(row["status"] == "Chatting" for row in rows)
        in_view = sum(row["in_view"] for row in rows)
        return {
            "online": len(rows),
            "in_view": in_view,
            "away": len(rows) - in_view,
            "chatting": chatting,
            "browsing": len(rows) - chatting,
            "today": sum(day == today for day in started),
            "this_month": sum(
                (day.year, day.month) == (today.year, today.month) for day in started
            ),
        }

    def days(self, now: int) -> dict[str, int]:
        """Visits per local day: today and the six before."""
        today = self._local(now)
        started = [self._local(visit.started_at) for visit in self.visits.values()]
        days = [today - timedelta(days=back) for back in range(6, -1, -1)]
        return {day.isoformat(): started.count(day) for day in days}

    def _local(self, at: int) -> Any:
        return datetime.fromtimestamp(at / SECOND, UTC).astimezone(self.zone).date()
