"""Which visits were live at a past moment, and what is stored of how they were then.

A visit's row holds only how it ended up. That is also how it was at a moment that lies behind its newest event; of the
others the moment is told by their spans, page views and changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Connection,
    Label,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    select,
    type_coerce,
    union_all,
)
from sqlmodel import col

from core.listed import listed_numbers
from core.moment import lasts_for, milliseconds, to_milliseconds
from core.plain_rows import plain_rows
from core.tables import (
    IS_LONG,
    IS_VERY_LONG,
    Page,
    PageViewRow,
    Visit,
    VisitChangeRow,
    VisitSpanRow,
)
from core.visits.live_visits import LIVE_COLUMNS
from core.visits.liveness import visit_goes_on
from core.visits.presence import CHATTING_FOR, IN_VIEW_FOR, VISIT_ENDS_AFTER, SpanKind
from core.visits.row_keys import SPAN_KINDS

_LONG, _VERY_LONG = timedelta(hours=1), timedelta(hours=8)
"""What IS_LONG and IS_VERY_LONG say."""

_PAST_COLUMNS: tuple[Label[Any], ...] = (
    *(col(getattr(Visit, name)).label(name) for name in ("site_id", "number", "id")),
    *(
        type_coerce(getattr(Visit, name), BigInteger).label(name)
        for name in (
            "started_at",
            "last_seen_at",
            "last_activity_at",
            "in_view_until",
            "chat_started_at",
        )
    ),
    *(
        col(getattr(Visit, name)).label(name)
        for name in ("page_context", "source", "browser", "os", "country")
    ),
)

PAST_NAMES = [column.name for column in _PAST_COLUMNS]
"""Of the columns of `visits_live_at`."""

_encode = msgspec.json.Encoder().encode


def visits_live_at(db: Connection, site_ids: Sequence[int], moment: datetime) -> Sequence[Row[Any]]:
    """The visits of the sites that were live at a past moment, in no order; of each its row, as it is now.

    Columns: site_id, number, id, started_at, last_seen_at, last_activity_at, in_view_until, chat_started_at (None
    without a chat), page_context, source, browser, os, country. Moments are milliseconds.
    """
    return db.execute(_live_within(_PAST_COLUMNS, site_ids, moment, moment)).all()


def lengths_within(
    db: Connection, site_ids: Sequence[int], since: datetime, until: datetime
) -> Iterator[tuple[Any, ...]]:
    """started_at and last_activity_at, in milliseconds, of all visits of the sites that were live at any moment of a
    stretch; in no order."""
    columns = [
        type_coerce(getattr(Visit, name), BigInteger).label(name)
        for name in ("started_at", "last_activity_at")
    ]
    return plain_rows(db, _live_within(columns, site_ids, since, until))


def visits_with_chats(
    db: Connection, site_ids: Sequence[int], since: datetime, until: datetime
) -> Sequence[Row[Any]]:
    """Those of them that were ever in a chat, in the columns of `visits_live_at`."""
    has_chatted = col(Visit.chat_started_at).is_not(None)
    return db.execute(_live_within(_PAST_COLUMNS, site_ids, since, until, has_chatted)).all()


def find_row(db: Connection, site_id: int, visit_id: str) -> Row[Any] | None:
    """The row of one visit in the same columns; None when the site has none of this id."""
    is_it = (col(Visit.site_id) == site_id, col(Visit.id) == visit_id)
    return db.execute(select(*_PAST_COLUMNS).where(*is_it)).one_or_none()


def visits_as_listed(db: Connection, site_id: int, numbers: Iterable[int]) -> Sequence[Row[Any]]:
    """Those of the site's visits that have these numbers, in no order: the number, then LIVE_COLUMNS."""
    statement = select(col(Visit.number), *LIVE_COLUMNS).where(
        _is_one_of(db, site_id, Visit.number)
    )
    return db.execute(statement, _of(numbers)).all()


def spans_until(
    db: Connection, site_id: int, numbers: Iterable[int], moment: datetime
) -> Sequence[Row[int, int, int, int]]:
    """Of each of these visits: its number, last_activity_at, last_seen_at, is_in_view at the moment.

    While activity goes on the last one counts as of the moment itself: it was less than ACTIVE_FOR ago. last_seen_at
    means something only for who was not in view.
    """
    after, ends = _after(moment), _span_ends()
    kind, begins = col(VisitSpanRow.kind), col(VisitSpanRow.from_after)
    active = case((kind == SPAN_KINDS[SpanKind.ACTIVE], case((ends < after, ends), else_=after)))
    seen = case((kind != SPAN_KINDS[SpanKind.CHATTING], case((ends <= after, ends), else_=begins)))
    in_view: ColumnElement[int] = case(
        (and_(kind == SPAN_KINDS[SpanKind.IN_VIEW], _holds(after, ends, IN_VIEW_FOR)), 1), else_=0
    )
    started_at = type_coerce(Visit.started_at, BigInteger)
    statement = (
        _with_spans(db, site_id)
        .where(begins <= after)
        .with_only_columns(
            col(Visit.number),
            (started_at + func.coalesce(func.max(active), 0)).label("last_activity_at"),
            (started_at + func.coalesce(func.max(seen), 0)).label("last_seen_at"),
            func.max(in_view).label("is_in_view"),
        )
        .group_by(col(Visit.number), col(Visit.started_at))
    )
    return db.execute(statement, _of(numbers)).all()


def chatting_at(
    db: Connection, site_id: int, numbers: Iterable[int], moment: datetime
) -> Sequence[int]:
    """The numbers of those of these visits that were in a chat at the moment."""
    after, ends = _after(moment), _span_ends()
    statement = (
        _with_spans(db, site_id)
        .where(
            col(VisitSpanRow.kind) == SPAN_KINDS[SpanKind.CHATTING],
            col(VisitSpanRow.from_after) <= after,
            _holds(after, ends, CHATTING_FOR),
        )
        .distinct()
    )
    return db.execute(statement, _of(numbers)).scalars().all()


def chats_of(db: Connection, site_id: int, numbers: Iterable[int]) -> Sequence[Row[int, int, int]]:
    """Each chat of these visits: the visit's number, when it began, and until when it went on, in milliseconds; by
    number and beginning."""
    started_at = type_coerce(Visit.started_at, BigInteger)
    silence = case((col(VisitSpanRow.is_open), milliseconds(CHATTING_FOR)), else_=0)
    statement = (
        _with_spans(db, site_id)
        .where(col(VisitSpanRow.kind) == SPAN_KINDS[SpanKind.CHATTING])
        .with_only_columns(
            col(Visit.number),
            (started_at + col(VisitSpanRow.from_after)).label("began_at"),
            (started_at + _span_ends() + silence).label("ended_at"),
        )
        .order_by(col(Visit.number), col(VisitSpanRow.from_after))
    )
    return db.execute(statement, _of(numbers)).all()


def views_until(
    db: Connection, site_id: int, numbers: Iterable[int], moment: datetime
) -> Sequence[Row[int, int, int]]:
    """The page views of these visits up to the moment: the visit's number, viewed_at, page; by tab and number."""
    viewed_at = type_coerce(Visit.started_at, BigInteger) + col(PageViewRow.viewed_after)
    statement = (
        select(col(Visit.number), viewed_at, col(PageViewRow.page))
        .join_from(Visit, PageViewRow, _is_of_visit(PageViewRow))
        .where(
            _is_one_of(db, site_id, Visit.number), col(PageViewRow.viewed_after) <= _after(moment)
        )
        .order_by(col(Visit.number), col(PageViewRow.tab), col(PageViewRow.number))
    )
    return db.execute(statement, _of(numbers)).all()


def changes_of(
    db: Connection, site_id: int, numbers: Iterable[int]
) -> Sequence[Row[int, int, int, int, str]]:
    """All changes of these visits: the visit's number, kind, changed_at, page, told; by number."""
    changed_at = type_coerce(Visit.started_at, BigInteger) + col(VisitChangeRow.changed_after)
    statement = (
        select(
            col(Visit.number),
            col(VisitChangeRow.kind),
            changed_at.label("changed_at"),
            col(VisitChangeRow.page),
            col(VisitChangeRow.told),
        )
        .join_from(Visit, VisitChangeRow, _is_of_visit(VisitChangeRow))
        .where(_is_one_of(db, site_id, Visit.number))
        .order_by(col(Visit.number), col(VisitChangeRow.number))
    )
    return db.execute(statement, _of(numbers)).all()


def page_texts(
    db: Connection, site_id: int, pages: Iterable[int]
) -> Sequence[Row[int, str, str, str]]:
    """What these pages of the site say of themselves: id, path, title, page_context."""
    statement = select(col(Page.id), col(Page.path), col(Page.title), col(Page.page_context)).where(
        _is_one_of(db, site_id, Page.id)
    )
    return db.execute(statement, _of(pages)).all()


def _live_within(
    columns: Sequence[Label[Any]],
    site_ids: Sequence[int],
    since: datetime,
    until: datetime,
    *only: ColumnElement[bool],
) -> CompoundSelect[Any]:
    """Visits that were live at any moment of the stretch, by their length: so of each kind those are read that began
    not long before it."""
    started_at, last_activity_at = (
        type_coerce(moment, BigInteger) for moment in (Visit.started_at, Visit.last_activity_at)
    )
    length = last_activity_at - started_at
    live = select(*columns).where(
        col(Visit.site_id).in_(site_ids),
        col(Visit.started_at) <= until,
        visit_goes_on(col(Visit.last_activity_at), since),
        *only,
    )

    def begun_before(longest: timedelta) -> ColumnElement[bool]:
        return col(Visit.started_at) > since - longest - VISIT_ENDS_AFTER

    return union_all(
        live.where(begun_before(_LONG), length < milliseconds(_LONG)),
        live.where(begun_before(_VERY_LONG), IS_LONG, length < milliseconds(_VERY_LONG)),
        live.where(IS_VERY_LONG),
    )


def _with_spans(db: Connection, site_id: int) -> Select[Any]:
    return (
        select(col(Visit.number))
        .join_from(Visit, VisitSpanRow, _is_of_visit(VisitSpanRow))
        .where(_is_one_of(db, site_id, Visit.number))
    )


def _is_of_visit(table: Any) -> ColumnElement[bool]:
    return and_(col(table.site_id) == col(Visit.site_id), col(table.visit) == col(Visit.number))


def _is_one_of(db: Connection, site_id: int, number: Any) -> ColumnElement[bool]:
    """The site's rows whose number is in the JSON list of numbers."""
    return and_(number.class_.site_id == site_id, number.in_(listed_numbers(db, "numbers")))


def _of(numbers: Iterable[int]) -> dict[str, str]:
    return {"numbers": _encode(list(numbers)).decode()}


def _after(moment: datetime) -> ColumnElement[int]:
    """How long after a visit's start the moment is."""
    return bindparam(None, to_milliseconds(moment), BigInteger) - type_coerce(
        Visit.started_at, BigInteger
    )


def _span_ends() -> ColumnElement[int]:
    return col(VisitSpanRow.from_after) + col(VisitSpanRow.length)


def _holds(after: Any, ends: Any, silence: timedelta) -> ColumnElement[bool]:
    """Whether a span that has begun holds: it has not ended, or nothing has closed it and it is not silent for long."""
    return (ends > after) | (col(VisitSpanRow.is_open) & lasts_for(silence, ends, after))
