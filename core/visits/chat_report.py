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
    if not is_chatting(visit, event.at):
        visit.chat_source = ChatSource.THIRD_PARTY
        visit.chat_started_at = event.at
        visit.memory.chat_tab, visit.memory.chat_number = tab, event.number
    visit.chat_message_at = max(visit.chat_message_at or 0, event.at)
    begins = (visit.memory.chat_tab, visit.memory.chat_number) == (tab, event.number)
    _keep_span(visit, visit.chat_message_at, rows, begins=begins)


def _end(visit: TrackedVisit, at: int, rows: VisitRows) -> None:
    if is_chatting(visit, at):
        _keep_span(visit, max(visit.chat_message_at or 0, at), rows, is_open=False)
    visit.chat_source = ChatSource.NONE


def _keep_span(
    visit: TrackedVisit,
    until: int,
    rows: VisitRows,
    *,
    begins: bool = False,
    is_open: bool = True,
) -> None:
    memory = visit.memory
    rows.keep(
        SpanRow(
            memory.chat_tab,
            SpanKind.CHATTING,
            memory.chat_number,
            visit.chat_started_at or until,
            until,
            is_open,
        ),
        begins=begins,
    )
