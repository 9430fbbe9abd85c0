"""The rows that an event changes besides its visit's. Moments are whole milliseconds since the epoch."""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct


class SpanRow(NamedTuple):
    """A row of `visit_span`, in the order of its columns."""

    site_id: int
    visit_id: str
    tab: str
    kind: str
    number: int
    from_at: int
    until_at: int
    is_open: bool


class PageViewRow(NamedTuple):
    """A row of `page_view`, in the order of its columns."""

    site_id: int
    visit_id: str
    tab: str
    number: int
    viewed_at: int
    path: str
    title: str
    page_context: str


class VisitRows(Struct, gc=False):
    """The rows that events change besides their visit's: new page views, new spans and longer ones.

    longer_spans: of spans that were stored before these events, (until_at, is_open) by (tab, kind, number).
    corrections: path, title and context of page views, by (tab, number), that were stored with others.
    entry_path: of a stored visit whose first page has moved to another path; else empty.
    known_views: page views, by (tab, number), that are stored already.
    """

    views: dict[tuple[str, int], PageViewRow] = {}
    new_spans: dict[tuple[str, str, int], SpanRow] = {}
    longer_spans: dict[tuple[str, str, int], tuple[int, bool]] = {}
    corrections: dict[tuple[str, int], tuple[str, str, str]] = {}
    entry_path: str = ""
    known_views: set[tuple[str, int]] = set()

    def begin_span(self, span: SpanRow) -> None:
        """Add a span, in place of one that the tab has begun with the same number."""
        self.new_spans[span.tab, span.kind, span.number] = span

    def extend_span(
        self, tab: str, kind: str, number: int, until_at: int, *, is_open: bool
    ) -> None:
        """Give a span its new end."""
        key = (tab, kind, number)
        if key in self.new_spans:
            self.new_spans[key] = self.new_spans[key]._replace(until_at=until_at, is_open=is_open)
        else:
            self.longer_spans[key] = (until_at, is_open)
