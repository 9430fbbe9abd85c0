"""Visits read from their chunks, as far as filters let them through."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, func, literal, select
from sqlmodel import col

from core.listed import list_numbers, listed_numbers
from core.moment import to_milliseconds
from core.plain_rows import plain_rows
from core.rollups.chunk_bytes import (
    PackedNumbers,
    PackedViews,
    PackedVisits,
    read_views,
    read_visits,
)
from core.rollups.dimensions import OF_PAGES, Dimension
from core.rollups.visit_columns import OF_VISITS, TEXTS
from core.tables import Page, Table
from core.trends.column_texts import Integers, read_integers
from core.trends.filters import TrendFilters
from core.trends.visit_arrays import CodedTexts, ViewArrays, VisitArrays
from core.visits.calendar import Period

_chunk = Table.metadata.tables["visit_chunk"]

_NUMBERS = ("began", "seconds", "page_count")

Mask = npt.NDArray[np.bool_]


class Chunk(NamedTuple):
    """Where one stands. since: its key. visits: how many it has."""

    since: int
    visits: int


def find_chunks(db: Connection, site_id: int, period: Period, until: int) -> list[Chunk]:
    """The site's chunks that may have visits which began in the period, in their order.

    until: `CountState.chunked_until`, in milliseconds; what begins later counts for nothing.
    """
    first, end = to_milliseconds(period.from_at), to_milliseconds(period.until_at)
    of_site = _chunk.c.site_id == site_id
    # No visit of an earlier chunk was there any more when the period began.
    lowest = select(func.max(_chunk.c.since)).where(of_site, _chunk.c.since <= first)
    found = select(_chunk.c.since, _chunk.c.visits).where(
        of_site,
        _chunk.c.since >= func.coalesce(lowest.scalar_subquery(), first),
        _chunk.c.since < until,
        _chunk.c.first_began < end,
        _chunk.c.last_began >= first,
    )
    return [Chunk(*row) for row in db.execute(found.order_by(_chunk.c.since)).tuples()]


@dataclass(frozen=True, eq=False)
class AskedVisits:
    """Which visits of a site are asked for: those that began in the period, and that the filters let through.

    pages: for each filter of pages, the ids of those of which a visit must have seen one.
    """

    site_id: int
    period: Period
    filters: TrendFilters
    pages: Sequence[Integers]

    @classmethod
    def of(cls, db: Connection, site_id: int, period: Period, filters: TrendFilters) -> AskedVisits:
        """It looks through all pages of the site where there is such a filter: once for all parts."""
        by_column = ((Page.path, filters.page), (Page.page_context, filters.context))
        pages = [
            read_integers(
                db, select(col(Page.id)).where(col(Page.site_id) == site_id, col(column) == value)
            )[0]
            for column, value in by_column
            if value is not None
        ]
        return cls(site_id, period, filters, pages)


def read_chunks(
    db: Connection, chunks: Sequence[Chunk], asked: AskedVisits, dimensions: Collection[Dimension]
) -> VisitArrays:
    """The visits of these chunks that are asked for.

    With the texts of those of the dimensions that have some, and with their views where one is of pages.
    """
    has_views = not OF_PAGES.isdisjoint(dimensions)
    gathered = _Gathered([each for each in TEXTS if each in dimensions], has_views)
    for chunk in _open(db, chunks, asked, has_views):
        gathered.add(chunk)
    return gathered.arrays()


def read_numbers(
    db: Connection, chunks: Sequence[Chunk], asked: AskedVisits, name: str
) -> tuple[Integers, Integers]:
    """When those visits began, in milliseconds, and of each this column of `core.rollups.visit_columns.OF_VISITS`."""
    found = [
        (chunk.numbers("began"), chunk.numbers(name))
        for chunk in _open(db, chunks, asked, has_views=False)
    ]
    return _join([began for began, _ in found]), _join([column for _, column in found])


def read_visitors(db: Connection, chunks: Sequence[Chunk], asked: AskedVisits) -> Integers:
    """The remembered visitors of those visits, each once: `core.rollups.visit_columns.visitor_number`."""
    different = np.unique(read_numbers(db, chunks, asked, "visitor")[1])
    return different[different != 0]


class _OpenChunk:
    """What is wanted of a chunk. mask: of all of its visits. visit, page: of each view, the places of its visit and of
    its page among `views.pages`."""

    def __init__(self, visits: PackedVisits, views: PackedViews | None) -> None:
        self._packed: dict[str, PackedNumbers] = dict(zip(OF_VISITS, visits.numbers, strict=True))
        self.texts = dict(zip(TEXTS, visits.texts, strict=True))
        self.views = views
        self.began = _numbers(self._packed["began"])
        self.mask: Mask = np.ones(len(self.began), np.bool_)
        if views is not None:
            view_count = _numbers(self._packed["view_count"])
            self.visit = np.repeat(np.arange(len(self.began)), view_count)
            self.page = _offsets(views.page)

    def numbers(self, name: str) -> Integers:
        """A column of OF_VISITS, of the visits that are wanted."""
        return _numbers(self._packed[name])[self.mask]

    def narrow_to_began(self, first: int, end: int) -> None:
        """To those that began from `first` on and before `end`."""
        self.mask &= (self.began >= first) & (self.began < end)

    def narrow_to_text(self, dimension: Dimension, value: str) -> None:
        """To those that have this value."""
        column = self.texts[dimension]
        place = column.texts.index(value) if value in column.texts else -1
        self.mask &= _offsets(column.places) == place

    def narrow_to_seen(self, pages: Integers) -> None:
        """To those that have a view of one of these pages."""
        assert self.views is not None
        is_page = np.isin(np.array(self.views.pages, np.int64), pages)
        has_seen = np.zeros_like(self.mask)
        has_seen[self.visit[is_page[self.page]]] = True
        self.mask &= has_seen


def _open(
    db: Connection, chunks: Sequence[Chunk], asked: AskedVisits, has_views: bool
) -> Iterator[_OpenChunk]:
    """Those of which some visits are asked for."""
    values = {each: getattr(asked.filters, each.value) for each in TEXTS}
    of_views = _chunk.c.of_views if has_views or asked.pages else literal(None)
    are_these = _chunk.c.since.in_(listed_numbers(db, "chunks"))
    packed = select(_chunk.c.of_visits, of_views).where(
        _chunk.c.site_id == asked.site_id, are_these
    )
    listed = list_numbers(chunk.since for chunk in chunks)
    from_at, until_at = map(to_milliseconds, asked.period)
    for visits, views in plain_rows(db, packed.params(chunks=listed)):
        chunk = _OpenChunk(read_visits(visits), None if views is None else read_views(views))
        chunk.narrow_to_began(from_at, until_at)
        for dimension, value in values.items():
            if value is not None:
                chunk.narrow_to_text(dimension, value)
        for pages in asked.pages:
            chunk.narrow_to_seen(pages)
        if chunk.mask.any():
            yield chunk


class _Gathered:
    """The columns of one chunk after the other."""

    def __init__(self, dimensions: Sequence[Dimension], has_views: bool) -> None:
        self._visits = 0
        self._numbers: dict[str, list[Integers]] = {name: [] for name in _NUMBERS}
        self._texts: dict[Dimension, dict[str, int]] = {each: {} for each in dimensions}
        self._places: dict[Dimension, list[Integers]] = {each: [] for each in dimensions}
        self._views: dict[str, list[Integers]] | None = (
            {name: [] for name in ("visit", "after", "page", "in_view")} if has_views else None
        )

    def add(self, chunk: _OpenChunk) -> None:
        """Put what is wanted of the chunk behind the others."""
        for name, columns in self._numbers.items():
            columns.append(chunk.numbers(name))
        for dimension, known in self._texts.items():
            column = chunk.texts[dimension]
            places = [known.setdefault(text, len(known)) for text in column.texts]
            of_chunk = _offsets(column.places)[chunk.mask]
            self._places[dimension].append(np.array(places, np.int64)[of_chunk])
        if self._views is not None and chunk.views is not None:
            is_its = chunk.mask[chunk.visit]
            place = np.cumsum(chunk.mask) - 1 + self._visits
            pages = np.array(chunk.views.pages, np.int64)
            self._views["visit"].append(place[chunk.visit[is_its]])
            self._views["after"].append(_numbers(chunk.views.viewed_after)[is_its])
            self._views["page"].append(pages[chunk.page[is_its]])
            self._views["in_view"].append(_numbers(chunk.views.in_view)[is_its])
        self._visits += int(chunk.mask.sum())

    def arrays(self) -> VisitArrays:
        """All together."""
        return VisitArrays(
            **_joined(self._numbers),
            texts={
                each: _met([*known], _join(self._places[each]))
                for each, known in self._texts.items()
            },
            views=None if self._views is None else ViewArrays(**_joined(self._views)),
        )


def _numbers(packed: PackedNumbers) -> Integers:
    return _offsets(packed).astype(np.int64) + packed.least


def _offsets(packed: PackedNumbers) -> npt.NDArray[Any]:
    """What is stored of each number: of places, the places themselves."""
    return np.frombuffer(packed.offsets, f"<u{packed.width}")


def _met(texts: Sequence[str], places: Integers) -> CodedTexts:
    """Without the texts of visits that are not wanted."""
    is_met = np.bincount(places, minlength=len(texts)) > 0
    return [text for text, is_one in zip(texts, is_met, strict=True) if is_one], (
        np.cumsum(is_met) - 1
    )[places]


def _joined(columns: Mapping[str, list[Integers]]) -> dict[str, Integers]:
    return {name: _join(parts) for name, parts in columns.items()}


def _join(parts: Sequence[Integers]) -> Integers:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)
