"""What a third-party chat reports: its start, its messages, and sometimes its end."""

from __future__ import annotations

from core.visits.hit import ChatReport, Event
from core.visits.liveness import is_chatting
from core.visits.presence import ChatSource, SpanKind
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit_rows import SpanRow, VisitRows


def report_chat(visit: TrackedVisit, tab: int, event: Event, rows: VisitRows) -> None:
    """Apply a report that a tab, by its ordinal, has of a third-party chat to the visit; ignored while our own chat goes on."""
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
    visit.memory.chat_tab, visit.memory.chat_number = tab, event.number
    until_at = visit.chat_message_at
    rows.begin_span(SpanRow(tab, SpanKind.CHATTING, event.number, event.at, until_at, True))


def _end(visit: TrackedVisit, at: int, rows: VisitRows) -> None:
    if is_chatting(visit, at):
        _extend_span(visit, max(visit.chat_message_at or 0, at), rows, is_open=False)
    visit.chat_source = ChatSource.NONE


def _extend_span(visit: TrackedVisit, until: int, rows: VisitRows, *, is_open: bool) -> None:
    memory = visit.memory
    from_at = visit.chat_started_at or until
    span = SpanRow(memory.chat_tab, SpanKind.CHATTING, memory.chat_number, from_at, until, is_open)
    rows.extend_span(span)
