"""Counts of visits by dimension and value, made by the database: of a day for its rollup, or of what a page asks for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    String,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlmodel import col

from core.moment import milliseconds
from core.rollups.dimensions import (
    OF_PAGES,
    RETURNING,
    STARTED_AT,
    TIME_ON_SITE,
    VALUES,
    Dimension,
    time_class,
)
from core.tables import Table, Visit
from core.visits.presence import COUNT_SLOT, SpanKind
from core.visits.row_keys import SPAN_KINDS

_IDS_AT_ONCE = 500
_NEVER = 1 << 60
_tables = Table.metadata.tables
_SLOT = milliseconds(COUNT_SLOT)
_IN_VIEW = SPAN_KINDS[SpanKind.IN_VIEW]
_TOGETHER = (
    Dimension.SOURCE,
    Dimension.CAMPAIGN,
    Dimension.COUNTRY,
    Dimension.DEVICE,
    Dimension.BROWSER,
    Dimension.RETURNING,
)
"""Of few values: grouped by their combinations, which takes as long as grouping by one of them."""


class Count(NamedTuple):
    """What is counted of the visits that have a value.

    Of a dimension of visits: the visits, their page views, those of them with one page view, their seconds on the
    site (each rounded down). Of PAGE and CONTEXT: the visits that saw it, its views, those that saw
    nothing else, and its seconds in view (each view's rounded down).
    """

    dimension: str
    value: str
    visits: int
    page_views: int
    one_page_visits: int
    seconds: int


def count_visits(
    db: Connection, wanted: Sequence[ColumnElement[bool]], dimensions: Collection[Dimension]
) -> list[Count]:
    """The counts of the visits for which the conditions on `visit` hold: they are of one site.

    VISITOR is counted by `core.rollups.visitor_counts`.
    """
    dimensions = [each for each in dimensions if each is not Dimension.VISITOR]
    picked = _picked(wanted)
    apart = [each for each in dimensions if each not in _TOGETHER and each not in OF_PAGES]
    together = [each for each in dimensions if each in _TOGETHER]
    counts: list[Count] = []
    if apart:
        statement = union_all(*(_grouped(picked, [each]) for each in apart))
        counts += [Count._make(row) for row in db.execute(statement)]
    if together:
        counts += _split(together, db.execute(_grouped(picked, together)))
    if of_pages := [each for each in dimensions if each in OF_PAGES]:
        counts += _count_pages(db, _seen(picked, db.dialect.name == "sqlite"), of_pages)
    return [*_in_classes(counts)]


def add_up(counts: Iterable[Count]) -> list[Count]:
    """One count of each value."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for dimension, value, *numbers in counts:
        total = sums[dimension, value]
        for place, number in enumerate(numbers):
            total[place] += number
    return [Count(*key, *total) for key, total in sums.items()]


def _count_pages(db: Connection, seen: Select[Any], dimensions: Sequence[Dimension]) -> list[Count]:
    """A visit counts once for each value that it saw."""
    rows = db.execute(seen).all()
    texts = _texts_of(db, rows[0][0], {row[2] for row in rows}) if rows else {}
    counts: list[Count] = []
    for place, dimension in enumerate((Dimension.PAGE, Dimension.CONTEXT)):
        if dimension in dimensions:
            values = {page: text[place] for page, text in texts.items()}
            counts += _count_seen(dimension, [(row[1], values[row[2]], *row[3:]) for row in rows])
    return counts


def _count_seen(dimension: Dimension, views: Iterable[tuple[int, str, int, int]]) -> list[Count]:
    """views: visit, value, the visit's page views, seconds."""
    sums: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    met: set[tuple[int, str]] = set()
    for visit, value, page_count, seconds in views:
        total = sums[value]
        if (visit, value) not in met:
            met.add((visit, value))
            total[0] += 1
            total[2] += page_count == 1
        total[1] += 1
        total[3] += seconds
    return [Count(dimension.value, value, *total) for value, total in sums.items()]


def _texts_of(db: Connection, site_id: int, pages: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Path and context of these pages, by their ids."""
    page, ids = _tables["page"], sorted(pages)
    texts: dict[int, tuple[str, str]] = {}
    for at in range(0, len(ids), _IDS_AT_ONCE):
        is_one = (page.c.site_id == site_id, page.c.id.in_(ids[at : at + _IDS_AT_ONCE]))
        rows = db.execute(select(page.c.id, page.c.path, page.c.page_context).where(*is_one))
        texts.update((id, (path, context)) for id, path, context in rows)
    return texts


def _in_classes(counts: Iterable[Count]) -> Iterator[Count]:
    """The database groups by each second; what is kept and told are classes of them."""
    seconds = [each for each in counts if each.dimension == Dimension.TIME]
    yield from (each for each in counts if each.dimension != Dimension.TIME)
    yield from add_up(each._replace(value=str(time_class(int(each.value)))) for each in seconds)


def _picked(wanted: Sequence[ColumnElement[bool]]) -> FromClause:
    """The visits, with what is counted of them, found once for all counts of a statement."""
    seconds = case((TIME_ON_SITE > 0, TIME_ON_SITE), else_=0) // 1000
    columns: list[Any] = [
        col(Visit.site_id),
        col(Visit.number),
        col(Visit.page_count),
        seconds.label("seconds"),
        seconds.label(_name(Dimension.TIME)),
        (STARTED_AT // _SLOT * _SLOT).label(_name(Dimension.SLOT)),
        RETURNING.label(_name(Dimension.RETURNING)),
    ]
    values = [column.label(_name(dimension)) for dimension, column in VALUES.items()]
    return select(*columns, *values).where(*wanted).cte("picked")


def _grouped(picked: FromClause, dimensions: Sequence[Dimension]) -> Any:
    """The counts of each value, or of each combination of values, after the name of the first dimension."""
    values = [picked.c[_name(each)] for each in dimensions]
    return select(
        literal(dimensions[0].value),
        *(cast(value, String) for value in values),
        func.count(),
        _sum(picked.c.page_count),
        func.count().filter(picked.c.page_count == 1),
        _sum(picked.c.seconds),
    ).group_by(*values)


def _split(dimensions: Sequence[Dimension], rows: Iterable[Row[Any]]) -> list[Count]:
    """The counts of each dimension by itself: of few values there are few combinations."""
    number = len(dimensions)
    sums: list[defaultdict[str, list[int]]] = [defaultdict(lambda: [0] * 4) for _ in dimensions]
    for row in rows:
        for place in range(number):
            total = sums[place][row[1 + place]]
            for measure in range(4):
                total[measure] += row[1 + number + measure]
    return [
        Count(dimension.value, value, *total)
        for dimension, of_values in zip(dimensions, sums, strict=True)
        for value, total in of_values.items()
    ]


def _seen(picked: FromClause, is_sqlite: bool) -> Select[Any]:
    """The page views of these visits: site, visit, page, the visit's page views, and the whole seconds that it was in
    view, until its tab's next one."""
    view, span = _tables["page_view_row"], _tables["visit_span_row"]
    following = (
        func.lead(view.c.viewed_after)
        .over(
            partition_by=(view.c.visit, view.c.tab), order_by=(view.c.viewed_after, view.c.number)
        )
        .label("next_after")
    )
    is_its = and_(view.c.site_id == picked.c.site_id, view.c.visit == picked.c.number)
    shown = (
        select(view, following, picked.c.page_count)
        .select_from(picked.join(view, is_its))
        .cte("shown")
    )
    earlier, later = (func.min, func.max) if is_sqlite else (func.least, func.greatest)
    until_after = func.coalesce(shown.c.next_after, _NEVER)
    overlap = earlier(span.c.from_after + span.c.length, until_after) - later(
        span.c.from_after, shown.c.viewed_after
    )
    in_view = (
        select(func.coalesce(func.sum(later(overlap, 0)), 0))
        .where(
            span.c.site_id == shown.c.site_id,
            span.c.visit == shown.c.visit,
            span.c.tab == shown.c.tab,
            span.c.kind == _IN_VIEW,
        )
        .correlate(shown)
        .scalar_subquery()
    )
    return select(
        shown.c.site_id,
        shown.c.visit,
        shown.c.page,
        shown.c.page_count,
        cast(in_view, BigInteger) // 1000,
    )


def _name(dimension: Dimension) -> str:
    """The column of a visit's value: some of the words are SQL's."""
    return f"by_{dimension.value}"


def _sum(column: ColumnElement[Any]) -> ColumnElement[int]:
    """Postgres sums large numbers as decimals."""
    return cast(func.sum(column), BigInteger)
