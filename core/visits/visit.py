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
from core.visits.tab_state import Memory, TabState, forget_oldest_tab
from core.visits.tracked_visit import Entry, TrackedVisit
from core.visits.visit_changes import (
    note_attributes,
    note_country,
    note_first_shown,
    note_page,
    page_texts,
)
from core.visits.visit_rows import NewView, PageText, SpanRow, VisitRows

_ACTIVE_FOR = milliseconds(ACTIVE_FOR)

# To find a member by its name takes Python 3.11 ten times as long, and each event asks for ten of them.
_VIEW, _PRESENCE, _HIDDEN = EventKind.VIEW, EventKind.PRESENCE, EventKind.HIDDEN
_CHAT, _IDENTIFY, _CHAT_START = EventKind.CHAT, EventKind.IDENTIFY, ChatReport.START
_IN_VIEW, _ACTIVE = SpanKind.IN_VIEW, SpanKind.ACTIVE

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
        memory=Memory(context_at=event.at),
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
        if event.kind is _VIEW:
            _add_earlier_view(visit, tab, event, rows)
        return
    if tab is None:
        tab = _add_tab(visit, tab_id, event, rows)
    tab.number = event.number
    tab.is_shown, was_shown = event.kind is not _HIDDEN, tab.is_shown
    _extend_in_view(tab, event, was_shown, rows)
    tab.at = max(tab.at, event.at)
    earlier_context = tab.context
    if event.kind is _VIEW:
        _show_page(visit, tab_id, tab, event, rows)
    elif event.kind is _CHAT:
        report_chat(visit, tab.ordinal, event, rows)
    elif event.kind is _IDENTIFY:
        _identify(visit, event, rows)
    else:
        _keep_page(visit, tab_id, tab, event, rows)
    keep_cart(visit, tab, event, earlier_context, rows)
    _note_activity(visit, tab, event, rows)
    visit.last_seen_at = max(visit.last_seen_at, event.at)
    shown_at = [tab.at for tab in visit.memory.tabs.values() if tab.is_shown]
    visit.in_view_until = tab_in_view_until(max(shown_at)) if shown_at else visit.last_seen_at


def learn_time_zone(
    visit: TrackedVisit, time_zone: str, country: str, at: int, rows: VisitRows
) -> None:
    """Set the browser's time zone, and its country where none was known. at: when that was told."""
    if not time_zone:
        return
    visit.time_zone = time_zone
    if country and not visit.country:
        visit.country = country
        if at > visit.started_at:
            note_country(visit, at, rows)


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
    visit.memory.told_at = min(visit.memory.told_at, now)
    visit.memory.context_at = min(visit.memory.context_at, now)
    visit.memory.cart_at = min(visit.memory.cart_at, now)
    for tab in visit.memory.tabs.values():
        tab.at = min(tab.at, now)
        tab.view_from = min(tab.view_from, now)
        tab.page_at = min(tab.page_at, now)
        tab.active_from = min(tab.active_from, now)
        tab.active_until = min(tab.active_until, now)


def needs_known_tab(visit: TrackedVisit, tab_id: str, event: Event) -> bool:
    """Whether `advance` needs to know if the tab, or the event's page view, is stored already.

    No tab is that is not remembered, unless others were forgotten.
    """
    tab = visit.memory.tabs.get(tab_id)
    if tab is None:
        return visit.memory.tab_count > len(visit.memory.tabs)
    return event.kind is _VIEW and event.number <= tab.number


def _add_tab(visit: TrackedVisit, tab_id: str, event: Event, rows: VisitRows) -> TabState:
    memory = visit.memory
    ordinal = rows.known_tabs.get(tab_id) or rows.new_tabs.get(tab_id)
    if ordinal is None:
        memory.tab_count += 1
        ordinal = rows.new_tabs[tab_id] = memory.tab_count
    tab = memory.tabs[tab_id] = TabState(number=event.number, at=event.at, ordinal=ordinal)
    forget_oldest_tab(memory)
    return tab


def _add_view(visit: TrackedVisit, tab: TabState, event: Event, at: int, rows: VisitRows) -> bool:
    """Whether it was not stored before."""
    key = (tab.ordinal, event.number)
    if key in rows.known_views or key in rows.views:
        return False
    rows.views[key] = NewView(*key, at, PageText(event.path, event.title, event.context))
    visit.page_count += 1
    return True


def _add_earlier_view(visit: TrackedVisit, tab: TabState, event: Event, rows: VisitRows) -> None:
    """A view that does not become the current page: were it told last, it would be taken for that."""
    is_told_last = event.at >= visit.memory.told_at
    if _add_view(visit, tab, event, event.at, rows) and is_told_last:
        note_page(visit, max(event.at, visit.memory.current_at), rows)


def _show_page(
    visit: TrackedVisit, tab_id: str, tab: TabState, event: Event, rows: VisitRows
) -> None:
    # Not before what the tab has told already: the way to here does not always take the same time.
    memory = visit.memory
    is_new = _add_view(visit, tab, event, tab.at, rows)
    tab.page_number, tab.page_at, tab.is_corrected = event.number, tab.at, not is_new
    tab.path, tab.title, tab.context = event.path, event.title, event.context
    before = page_texts(visit)
    is_current = _make_current(visit, tab_id, tab, event.at)
    told_at = memory.told_at
    memory.told_at = max(tab.at, told_at)
    # A new view tells that its page is the current one if it is the newest of all that is told, and if not, not.
    is_told = tab.at > told_at if is_current else tab.at < told_at
    is_changed = is_current and page_texts(visit) != before
    if not is_told if is_new else is_changed:
        note_page(visit, memory.current_at, rows)


def _make_current(visit: TrackedVisit, tab_id: str, tab: TabState, at: int) -> bool:
    """Whether it is the current page now."""
    memory = visit.memory
    if tab_id != memory.current_tab and at < memory.current_at:
        return False
    memory.current_tab, memory.current_at = tab_id, max(at, memory.current_at)
    visit.current_path, visit.current_title = tab.path, tab.title
    _show_context(visit, tab.context, at)
    return True


def _keep_page(
    visit: TrackedVisit, tab_id: str, tab: TabState, event: Event, rows: VisitRows
) -> None:
    """A focused presence makes its tab's page current.

    The page may have reported a title, a better context or another path since it was first shown.
    """
    if not tab.path:
        tab.page_number, tab.page_at = event.page, 0
        tab.path, tab.title, tab.context = event.path, event.title, event.context
    elif event.page and event.page != tab.page_number:
        return
    elif event.page or event.path == tab.path:
        _correct_page(visit, tab, event, rows)
    before = page_texts(visit)
    if event.kind is _PRESENCE and event.focused:
        _make_current(visit, tab_id, tab, event.at)
    elif tab_id == visit.memory.current_tab:
        visit.current_path, visit.current_title = tab.path, tab.title
        _show_context(visit, tab.context, event.at)
    if page_texts(visit) != before:
        note_page(visit, max(event.at, visit.memory.current_at), rows)


def _show_context(visit: TrackedVisit, context: str, at: int) -> None:
    if context != visit.page_context:
        visit.page_context, visit.memory.context_at = context, at


def _correct_page(visit: TrackedVisit, tab: TabState, event: Event, rows: VisitRows) -> None:
    """What a page says of itself after it was shown: its view has it too."""
    is_moved = event.path != tab.path
    title = event.title or tab.title
    context = event.context if event.sets_context or is_moved else tab.context
    if (event.path, title, context) == (tab.path, tab.title, tab.context):
        return
    note_first_shown(visit, tab, rows)
    page = PageText(event.path, title, context)
    tab.path, tab.title, tab.context = page
    key = (tab.ordinal, tab.page_number)
    if key in rows.views:
        rows.views[key] = rows.views[key]._replace(page=page)
    else:
        rows.corrections[key] = page
    if is_moved and visit.page_count == 1:
        _move_entry(visit, tab.path, rows)


def _move_entry(visit: TrackedVisit, path: str, rows: VisitRows) -> None:
    if visit.entry is None:
        rows.entry_path = path
    else:
        visit.entry = Entry(path, visit.entry.follows, visit.entry.opening)


def _identify(visit: TrackedVisit, event: Event, rows: VisitRows) -> None:
    before = dict(visit.attributes)
    for name, value in (event.attributes or {}).items():
        if name in visit.attributes or len(visit.attributes) < MAX_ATTRIBUTES:
            visit.attributes[name] = value
    if visit.attributes != before:
        note_attributes(visit, max(event.at, visit.last_seen_at), rows)


def _extend_in_view(tab: TabState, event: Event, was_shown: bool, rows: VisitRows) -> None:
    """Extend the tab's in-view span, or begin a new one after `h` or silence.

    An `h` that ends no span is one without length: the visit was seen.
    """
    is_open = event.kind is not _HIDDEN
    at = max(event.at, tab.at)
    if was_shown and is_tab_in_view(tab.at, event.at):
        kept = (_IN_VIEW, tab.view_number, tab.view_from, at, is_open)
        rows.extend_span(SpanRow(tab.ordinal, *kept))
    else:
        tab.view_number, tab.view_from = event.number, at
        rows.begin_span(SpanRow(tab.ordinal, _IN_VIEW, event.number, at, at, is_open))


def _note_activity(visit: TrackedVisit, tab: TabState, event: Event, rows: VisitRows) -> None:
    """A page view, an interaction or the start of a chat is activity; presence alone is not."""
    is_activity = event.kind is _VIEW or event.chat is _CHAT_START
    active_at = event.at if is_activity else event.active_at
    if active_at <= tab.active_until or active_at < visit.started_at:
        return
    goes_on = tab.active_until and active_at <= tab.active_until + _ACTIVE_FOR
    tab.active_until = active_at
    visit.last_activity_at = max(visit.last_activity_at, active_at)
    if goes_on:
        kept = (_ACTIVE, tab.active_number, tab.active_from, active_at, False)
        rows.extend_span(SpanRow(tab.ordinal, *kept))
    else:
        tab.active_number, tab.active_from = event.number, active_at
        begun = (_ACTIVE, event.number, active_at, active_at, False)
        rows.begin_span(SpanRow(tab.ordinal, *begun))
