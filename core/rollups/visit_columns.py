"""Visits as columns: what is counted of each, and of each of its page views. They are read from rows here, and
nowhere else in plain Python."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import accumulate, chain, compress, repeat
from typing import Any

from sqlalchemy import ColumnElement, Connection, select
from sqlmodel import col

from core.plain_rows import plain_rows
from core.rollups.dimensions import RETURNING, STARTED_AT, TIME_ON_SITE, VALUES, Dimension
from core.rollups.page_counts import shown_pages
from core.tables import Visit

TEXTS: Mapping[Dimension, Any] = {**VALUES, Dimension.RETURNING: RETURNING}
"""A visit's value of each dimension that is a text, in the order of `VisitColumns.texts`."""

OF_VISITS = ("number", "visitor", "began", "seconds", "page_count", "view_count")
OF_VIEWS = ("viewed_after", "page", "in_view")
"""The columns of whole numbers."""


@dataclass(slots=True)
class VisitColumns:
    """Columns of one length for visits, and of one for their page views, which stand in the order of their visits.

    number: `visit.number`. visitor: `visitor_number`. began: milliseconds. seconds: on the site. page_count: as its row has it. view_count:
    how many of the views are its own. texts: of each of TEXTS. viewed_after: milliseconds after the visit's begin;
    a visit's views are in this order, those of one moment in that of their tabs and numbers. page: `page.id`. in_view:
    seconds, until the tab's next view.
    """

    number: list[int] = field(default_factory=list[int])
    visitor: list[int] = field(default_factory=list[int])
    began: list[int] = field(default_factory=list[int])
    seconds: list[int] = field(default_factory=list[int])
    page_count: list[int] = field(default_factory=list[int])
    view_count: list[int] = field(default_factory=list[int])
    texts: tuple[list[str], ...] = field(default_factory=lambda: tuple([] for _ in TEXTS))
    viewed_after: list[int] = field(default_factory=list[int])
    page: list[int] = field(default_factory=list[int])
    in_view: list[int] = field(default_factory=list[int])

    def extend(self, more: VisitColumns) -> None:
        """Put other visits behind these."""
        for name in (*OF_VISITS, *OF_VIEWS):
            getattr(self, name).extend(getattr(more, name))
        for column, other in zip(self.texts, more.texts, strict=True):
            column.extend(other)

    def without(self, numbers: Collection[int]) -> VisitColumns:
        """Those of the visits that have none of these numbers."""
        stays = [number not in numbers for number in self.number]
        view_stays = [*chain.from_iterable(map(repeat, stays, self.view_count))]
        return VisitColumns(
            **{name: [*compress(getattr(self, name), stays)] for name in OF_VISITS},
            texts=tuple([*compress(column, stays)] for column in self.texts),
            **{name: [*compress(getattr(self, name), view_stays)] for name in OF_VIEWS},
        )

    def views_of_each(self) -> Iterator[slice]:
        """Of each visit, where its views stand."""
        ends = [0, *accumulate(self.view_count)]
        return map(slice, ends, ends[1:])


def visitor_number(visitor_id: str) -> int:
    """A number below 2^63 for the visitor; 0: the site does not remember any. Of a million visitors no two have the
    same, but for one chance in twenty million."""
    if not visitor_id:
        return 0
    return int.from_bytes(blake2b(visitor_id.encode(), digest_size=8).digest()) >> 1 or 1


def read_visit_columns(
    db: Connection, site_id: int, wanted: Sequence[ColumnElement[bool]]
) -> VisitColumns:
    """Those of the visits for which the conditions on `visit` hold; they are of the site."""
    found = VisitColumns()
    numbers = (col(Visit.number), STARTED_AT, TIME_ON_SITE, col(Visit.page_count))
    columns = (*numbers, col(Visit.visitor_id), *TEXTS.values())
    add_text = [column.append for column in found.texts]
    for number, began, time, page_count, visitor_id, *texts in plain_rows(
        db, select(*columns).where(*wanted)
    ):
        found.number.append(number)
        found.visitor.append(visitor_number(visitor_id))
        found.began.append(began)
        found.seconds.append(time // 1000 if time > 0 else 0)
        found.page_count.append(page_count)
        for add, text in zip(add_text, texts, strict=True):
            add(text)
    _read_views(db, site_id, found)
    return found


def _read_views(db: Connection, site_id: int, found: VisitColumns) -> None:
    of_visit: dict[int, list[tuple[int, int, int, int]]] = {
        number: list[tuple[int, int, int, int]]() for number in found.number
    }
    for visit, *view in shown_pages(db, site_id, found.number) if of_visit else ():
        of_visit[visit].append((view[0], view[1], view[2], view[3]))
    for views in of_visit.values():  # in the order of their numbers above
        views.sort()
        found.view_count.append(len(views))
        for viewed_after, _, page, in_view in views:
            found.viewed_after.append(viewed_after)
            found.page.append(page)
            found.in_view.append(in_view)
