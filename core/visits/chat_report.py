"""What a third-party chat reports: its start, its messages, and sometimes its end."""

from __future__ import annotations

from core.visits.hit import ChatReport, Event
from core.visits.liveness import is_chatting
from core.visits.presence import ChatSource, SpanKind
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit_rows import SpanRow, VisitRows


def report_chat(visit: TrackedVisit, tab_id: str, event: Event, rows: VisitRows) -> None:
    """Apply a report of a third-party chat to the visit; ignored while our own chat goes on."""
    if visit.chat_source == ChatSource.BUILT_IN and is_chatting(visit, event.at):
        return
    if event.chat is ChatReport.END:
        _end(visit, event.at, rows)
        return
    goes_on = is_chatting(visit, event.at)
    visit.chat_message_at = max(visit.chat_message_at or 0, event.at)
    if goes_on:
        _extend_span(visit, visit.chat_message_at, rows, is_open=True)
        return
    visit.chat_source = ChatSource.THIRD_PARTY
    visit.chat_started_at = event.at
    visit.memory.chat_tab, visit.memory.chat_number = tab_id, event.number
    span = SpanRow(
        visit.site_id,
        visit.id,
        tab_id,
        SpanKind.CHATTING.value,
        event.number,
        event.at,
        visit.chat_message_at,
        True,
    )
    rows.begin_span(span)


def _end(visit: TrackedVisit, at: int, rows: VisitRows) -> None:
    if is_chatting(visit, at):
        _extend_span(visit, max(visit.chat_message_at or 0, at), rows, is_open=False)
    visit.chat_source = ChatSource.NONE


def _extend_span(visit: TrackedVisit, until: int, rows: VisitRows, *, is_open: bool) -> None:
    memory = visit.memory
    kind = SpanKind.CHATTING.value
    rows.extend_span(memory.chat_tab, kind, memory.chat_number, until, is_open=is_open)
