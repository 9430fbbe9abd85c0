"""The rows that an event changes besides its visit's. Moments are whole milliseconds since the epoch.

A tab is named by its ordinal in the visit.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct

from core.visits.presence import ChangeKind, SpanKind


class PageText(NamedTuple):
    """What a page says of itself."""

    path: str
    title: str
    page_context: str


class SpanRow(Struct, frozen=True, gc=False):
    """A stretch of time of one tab; a Struct, since it is made in a fifth of a tuple's time."""

    tab: int
    kind: SpanKind
    number: int
    from_at: int
    until_at: int
    is_open: bool


class NewView(NamedTuple):
    """A page shown in one tab."""

    tab: int
    number: int
    viewed_at: int
    page: PageText


class ChangeRow(NamedTuple):
    """What changed on a visit, and is not told by a page view; told: JSON, where it is no page."""

    number: int
    kind: ChangeKind
    changed_at: int
    page: PageText | None = None
    told: str = ""


class VisitRows(Struct, gc=False):
    """The rows that events change besides their visit's: page views, new spans and longer ones, changes.

    longer_spans: those that were stored before these events.
    corrections: what page views say of themselves, by (tab, number), that were stored with something else.
    entry_path: of a stored visit whose first page has moved to another path; else empty.
    new_tabs: the ordinals of tabs that were heard of for the first time, by their ids.
    known_tabs: of tabs that are stored and were looked for, the ordinals by their ids.
    known_views: page views, by (tab, number), that are stored already.
    """

    views: dict[tuple[int, int], NewView] = {}
    new_spans: dict[tuple[int, SpanKind, int], SpanRow] = {}
    longer_spans: dict[tuple[int, SpanKind, int], SpanRow] = {}
    changes: list[ChangeRow] = []
    corrections: dict[tuple[int, int], PageText] = {}
    entry_path: str = ""
    new_tabs: dict[str, int] = {}
    known_tabs: dict[str, int] = {}
    known_views: set[tuple[int, int]] = set()

    def begin_span(self, span: SpanRow) -> None:
        """Add a span, in place of one that the tab has begun with the same number."""
        self.new_spans[span.tab, span.kind, span.number] = span

    def extend_span(self, span: SpanRow) -> None:
        """Give a span its new end."""
        key = (span.tab, span.kind, span.number)
        if key in self.new_spans:
            self.new_spans[key] = span
        else:
            self.longer_spans[key] = span
