"""The rows of a batch as the tables have them: numbers for visits, tabs, kinds and pages."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from core.tables import Table
from core.visits.pages_used import drop_uses
from core.visits.row_keys import CHANGE_KINDS, SPAN_KINDS, page_id
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit_rows import PageText, VisitRows

_view = Table.metadata.tables["page_view_row"]
_is_view = tuple(column == bindparam(f"of_{column.name}") for column in _view.primary_key)
_find_page = select(_view.c.page).where(*_is_view)
_correct = update(_view).where(*_is_view).values(page=bindparam("new_page"))


class StoredRows:
    """Each list has the tuples of one table, in the order of its columns."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.tabs: list[tuple[int, int, int, str]] = []
        self.views: list[tuple[int, ...]] = []
        self.new_spans: list[tuple[Any, ...]] = []
        self.longer_spans: list[tuple[Any, ...]] = []
        """Of these what changes, then the key."""
        self.changes: list[tuple[Any, ...]] = []
        self._uses: Counter[tuple[int, PageText]] = Counter()
        self._dropped: defaultdict[int, Counter[int]] = defaultdict(Counter)

    def add(self, visit: TrackedVisit, rows: VisitRows) -> None:
        """The rows of a visit that has its number; a corrected view is corrected at once."""
        site_id, number, started_at = visit.site_id, visit.number, visit.started_at
        for id, tab in rows.new_tabs.items():
            self.tabs.append((site_id, number, tab, id))
        for view in rows.views.values():
            after, page = view.viewed_at - started_at, self._use(site_id, view.page)
            self.views.append((site_id, number, view.tab, view.number, after, page))
        for span in rows.new_spans.values():
            key = (site_id, number, span.tab, SPAN_KINDS[span.kind], span.number)
            after, length = span.from_at - started_at, span.until_at - span.from_at
            self.new_spans.append((*key, span.is_open, after, length))
        for span in rows.longer_spans.values():
            key = (site_id, number, span.tab, SPAN_KINDS[span.kind], span.number)
            self.longer_spans.append((span.is_open, span.until_at - span.from_at, *key))
        for change in rows.changes:
            after = change.changed_at - started_at
            page = self._use(site_id, change.page) if change.page else 0
            kind = CHANGE_KINDS[change.kind]
            self.changes.append((site_id, number, change.number, kind, after, page, change.told))
        for (tab, view_number), page in rows.corrections.items():
            self._correct((site_id, number, tab, view_number), page)

    def pages(self) -> list[tuple[Any, ...]]:
        """What pages say of themselves, with how many more rows name it."""
        return [
            (site_id, page_id(*page), uses, *page)
            for (site_id, page), uses in sorted(self._uses.items())
        ]

    def drop_corrected(self) -> None:
        """The pages that corrected views have named before; after all others are stored."""
        for site_id, uses in self._dropped.items():
            drop_uses(self._connection, site_id, uses)

    def _use(self, site_id: int, page: PageText) -> int:
        self._uses[site_id, page] += 1
        return page_id(*page)

    def _correct(self, key: tuple[int, int, int, int], page: PageText) -> None:
        """Rare, so one by one; nothing where the view is not stored."""
        names = (f"of_{column.name}" for column in _view.primary_key)
        of_view: dict[str, Any] = dict(zip(names, key, strict=True))
        before = self._connection.execute(_find_page, of_view).scalar()
        if before is None:
            return
        self._dropped[key[0]][before] += 1
        self._connection.execute(_correct, of_view | {"new_page": self._use(key[0], page)})
