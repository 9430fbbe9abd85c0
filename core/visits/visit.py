"""The visit: how it opens, how each event moves it forward, and when it is over.

Moments here are whole milliseconds since the epoch, as in the tables.
"""

from __future__ import annotations

from core.moment import milliseconds
from core.visits.cart import keep_cart
from core.visits.chat_report import report_chat
from core.visits.hit import ChatReport, Event, EventKind, Opening
from core.visits.liveness import is_plausible, is_tab_in_view, tab_in_view_until, visit_goes_on
from core.visits.presence import ACTIVE_FOR, ChatSource, SpanKind
from core.visits.tab_state import MAX_TABS, TabState, VisitMemory, forget_oldest_tab
from core.visits.tracked_visit import Entry, TrackedVisit
from core.visits.visit_rows import PageViewRow, SpanRow, VisitRows

_ACTIVE_FOR = milliseconds(ACTIVE_FOR)
_IN_VIEW, _ACTIVE = (kind.value for kind in (SpanKind.IN_VIEW, SpanKind.ACTIVE))

MAX_ATTRIBUTES = 10


def open_visit(
    site_id: int,
    visit_id: str,
    event: Event,
    opening: Opening,
    follows: str = "",
    visit_number: int = 0,
) -> TrackedVisit:
    """A new visit that begins with a page view; `advance` is still to apply the view itself.

    visit_number: how often this visitor has come, this time included; 0 when not remembered.
    """
    return TrackedVisit(
        started_at=event.at,
        last_seen_at=event.at,
        last_activity_at=event.at,
        in_view_until=event.at,
        page_count=0,
        current_path=event.path,
        current_title=event.title,
        page_context=event.context,
        country=opening.country,
        time_zone="",
        attributes={},
        cart_value=0.0,
        cart_currency="",
        visit_number=visit_number,
        chat_source=ChatSource.NONE,
        chat_started_at=None,
        chat_message_at=None,
        memory=VisitMemory(context_at=event.at),
        site_id=site_id,
        id=visit_id,
        entry=Entry(event.path, follows, opening),
    )


def is_over(visit: TrackedVisit, event: Event) -> bool:
    """Whether the visit had ended when the event happened.

    An interaction that the event reports may have kept the visit alive until then.
    """
    last_activity_at = visit.last_activity_at
    if visit_goes_on(last_activity_at, event.at):
        return False
    has_gone_on = visit_goes_on(last_activity_at, event.active_at)
    if not has_gone_on or event.active_at <= last_activity_at:
        return True
    return not visit_goes_on(event.active_at, event.at)


def advance(visit: TrackedVisit, tab_id: str, event: Event, rows: VisitRows) -> None:
    """Apply one event to the visit, and collect in `rows` the other rows that it changes.

    An event older than the newest of its tab adds its page view and nothing else, so that a late
    or repeated delivery never moves a tab backwards.
    """
    tab = visit.memory.tabs.get(tab_id)
    if tab is not None and event.number <= tab.number:
        if event.kind is EventKind.VIEW:
            _add_view(visit, tab_id, event, event.at, rows)
        return
    if tab is None:
        tab = visit.memory.tabs[tab_id] = TabState(number=event.number, at=event.at)
        forget_oldest_tab(visit.memory)
    tab.number = event.number
    tab.is_shown, was_shown = event.kind is not EventKind.HIDDEN, tab.is_shown
    _extend_in_view(visit, tab_id, tab, event, was_shown, rows)
    tab.at = max(tab.at, event.at)
    earlier_context = tab.context
    if event.kind is EventKind.VIEW:
        _show_page(visit, tab_id, tab, event, rows)
    elif event.kind is EventKind.CHAT:
        report_chat(visit, tab_id, event, rows)
    elif event.kind is EventKind.IDENTIFY:
        _identify(visit, event.attributes or {})
    else:
        _keep_page(visit, tab_id, tab, event, rows)
    keep_cart(visit, tab, event, earlier_context)
    _note_activity(visit, tab_id, tab, event, rows)
    visit.last_seen_at = max(visit.last_seen_at, event.at)
    shown_at = [tab.at for tab in visit.memory.tabs.values() if tab.is_shown]
    visit.in_view_until = tab_in_view_until(max(shown_at)) if shown_at else visit.last_seen_at


def learn_time_zone(visit: TrackedVisit, time_zone: str, country: str) -> None:
    """Set the browser's time zone, and its country where none was known."""
    if time_zone:
        visit.time_zone = time_zone
        visit.country = visit.country or country


def is_ahead(visit: TrackedVisit, now: int) -> bool:
    """Whether a clock that ran ahead has written the visit, and has since jumped back."""
    newest = max(visit.last_seen_at, visit.last_activity_at, visit.chat_message_at or 0)
    return not is_plausible(newest, now)


def heal_clock(visit: TrackedVisit, now: int) -> None:
    """Set moments back to now that were written while the clock ran ahead.

    Each is set back, so that none is before another that it was after. The visit's other rows are set
    back by `collector.writing.clock_jumps`.
    """
    if not is_ahead(visit, now):
        return
    visit.started_at = min(visit.started_at, now)
    visit.last_seen_at = min(visit.last_seen_at, now)
    visit.last_activity_at = min(visit.last_activity_at, now)
    visit.in_view_until = min(visit.in_view_until, tab_in_view_until(now))
    if visit.chat_started_at is not None:
        visit.chat_started_at = min(visit.chat_started_at, now)
    if visit.chat_message_at is not None:
        visit.chat_message_at = min(visit.chat_message_at, now)
    visit.memory.current_at = min(visit.memory.current_at, now)
    visit.memory.context_at = min(visit.memory.context_at, now)
    visit.memory.cart_at = min(visit.memory.cart_at, now)
    for tab in visit.memory.tabs.values():
        tab.at = min(tab.at, now)
        tab.view_from = min(tab.view_from, now)
        tab.active_from = min(tab.active_from, now)
        tab.active_until = min(tab.active_until, now)


def needs_known_views(visit: TrackedVisit, tab_id: str, event: Event) -> bool:
    """Whether `advance` needs to know if the event's page view is stored already.

    Of a tab that is not remembered none is, unless so many are remembered that one may be forgotten.
    """
    if event.kind is not EventKind.VIEW:
        return False
    tab = visit.memory.tabs.get(tab_id)
    if tab is None:
        return len(visit.memory.tabs) >= MAX_TABS
    return event.number <= tab.number


def _add_view(visit: TrackedVisit, tab_id: str, event: Event, at: int, rows: VisitRows) -> None:
    key = (tab_id, event.number)
    if key in rows.known_views or key in rows.views:
        return
    rows.views[key] = PageViewRow(
        visit.site_id,
        visit.id,
        tab_id,
        event.number,
        at,
        event.path,
        event.title,
        event.context,
    )
    visit.page_count += 1


def _show_page(
    visit: TrackedVisit, tab_id: str, tab: TabState, event: Event, rows: VisitRows
) -> None:
    # Not before what the tab has told already: the way to here does not always take the same time.
    _add_view(visit, tab_id, event, tab.at, rows)
    tab.page_number = event.number
    tab.path, tab.title, tab.context = event.path, event.title, event.context
    _make_current(visit, tab_id, tab, event.at)


def _make_current(visit: TrackedVisit, tab_id: str, tab: TabState, at: int) -> None:
    memory = visit.memory
    if tab_id != memory.current_tab and at < memory.current_at:
        return
    memory.current_tab, memory.current_at = tab_id, max(at, memory.current_at)
    visit.current_path, visit.current_title = tab.path, tab.title
    _show_context(visit, tab.context, at)


def _keep_page(
    visit: TrackedVisit, tab_id: str, tab: TabState, event: Event, rows: VisitRows
) -> None:
    """A focused presence makes its tab's page current.

    The page may have reported a title, a better context or another path since it was first shown.
    """
    if not tab.path:
        tab.page_number = event.page
        tab.path, tab.title, tab.context = event.path, event.title, event.context
    elif event.page and event.page != tab.page_number:
        return
    elif event.page or event.path == tab.path:
        _correct_page(visit, tab_id, tab, event, rows)
    if event.kind is EventKind.PRESENCE and event.focused:
        _make_current(visit, tab_id, tab, event.at)
    elif tab_id == visit.memory.current_tab:
        visit.current_path, visit.current_title = tab.path, tab.title
        _show_context(visit, tab.context, event.at)


def _show_context(visit: TrackedVisit, context: str, at: int) -> None:
    if context != visit.page_context:
        visit.page_context, visit.memory.context_at = context, at


def _correct_page(
    visit: TrackedVisit, tab_id: str, tab: TabState, event: Event, rows: VisitRows
) -> None:
    """What a page says of itself after it was shown: its view has it too."""
    is_moved = event.path != tab.path
    title = event.title or tab.title
    context = event.context if event.sets_context or is_moved else tab.context
    if (event.path, title, context) == (tab.path, tab.title, tab.context):
        return
    tab.path, tab.title, tab.context = event.path, title, context
    key = (tab_id, tab.page_number)
    if key in rows.views:
        rows.views[key] = rows.views[key]._replace(path=tab.path, title=title, page_context=context)
    else:
        rows.corrections[key] = (tab.path, title, context)
    if is_moved and visit.page_count == 1:
        _move_entry(visit, tab.path, rows)


def _move_entry(visit: TrackedVisit, path: str, rows: VisitRows) -> None:
    if visit.entry is None:
        rows.entry_path = path
    else:
        visit.entry = Entry(path, visit.entry.follows, visit.entry.opening)


def _identify(visit: TrackedVisit, attributes: dict[str, str]) -> None:
    for name, value in attributes.items():
        if name in visit.attributes or len(visit.attributes) < MAX_ATTRIBUTES:
            visit.attributes[name] = value


def _extend_in_view(
    visit: TrackedVisit, tab_id: str, tab: TabState, event: Event, was_shown: bool, rows: VisitRows
) -> None:
    """Extend the tab's in-view span, or begin a new one after `h` or silence."""
    is_open = event.kind is not EventKind.HIDDEN
    if was_shown and is_tab_in_view(tab.at, event.at):
        until = max(event.at, tab.at)
        rows.extend_span(tab_id, _IN_VIEW, tab.view_number, until, is_open=is_open)
    elif is_open:
        tab.view_number, tab.view_from = event.number, event.at
        _begin_span(visit, tab_id, _IN_VIEW, event.number, event.at, is_open=True, rows=rows)


def _note_activity(
    visit: TrackedVisit, tab_id: str, tab: TabState, event: Event, rows: VisitRows
) -> None:
    """A page view, an interaction or the start of a chat is activity; presence alone is not."""
    is_activity = event.kind is EventKind.VIEW or event.chat is ChatReport.START
    active_at = event.at if is_activity else event.active_at
    if active_at <= tab.active_until or active_at < visit.started_at:
        return
    goes_on = tab.active_until and active_at <= tab.active_until + _ACTIVE_FOR
    tab.active_until = active_at
    visit.last_activity_at = max(visit.last_activity_at, active_at)
    if goes_on:
        rows.extend_span(tab_id, _ACTIVE, tab.active_number, active_at, is_open=False)
    else:
        tab.active_number, tab.active_from = event.number, active_at
        _begin_span(visit, tab_id, _ACTIVE, event.number, active_at, is_open=False, rows=rows)


def _begin_span(
    visit: TrackedVisit,
    tab: str,
    kind: str,
    number: int,
    at: int,
    *,
    is_open: bool,
    rows: VisitRows,
) -> None:
    rows.begin_span(SpanRow(visit.site_id, visit.id, tab, kind, number, at, at, is_open))
