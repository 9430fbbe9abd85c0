"""Who is on a site at a moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Label,
    Row,
    Text,
    and_,
    select,
    type_coerce,
)
from sqlmodel import col

from core.tables import Visit
from core.visits.default_order import default_order
from core.visits.liveness import is_idle, is_live

# Moments and attributes are read as they are stored: a frame turns whole columns at once.
LIVE_COLUMNS: tuple[Label[Any], ...] = (
    col(Visit.id).label("id"),
    col(Visit.current_path).label("path"),
    col(Visit.current_title).label("title"),
    col(Visit.page_context).label("page_context"),
    col(Visit.source).label("source"),
    col(Visit.source_kind).label("source_kind"),
    col(Visit.browser).label("browser"),
    col(Visit.os).label("os"),
    col(Visit.device).label("device"),
    col(Visit.country).label("country"),
    col(Visit.page_count).label("page_count"),
    type_coerce(Visit.started_at, BigInteger).label("started_at"),
    type_coerce(Visit.last_seen_at, BigInteger).label("last_seen_at"),
    type_coerce(Visit.last_activity_at, BigInteger).label("last_activity_at"),
    type_coerce(Visit.in_view_until, BigInteger).label("in_view_until"),
    col(Visit.chat_source).label("chat_source"),
    type_coerce(Visit.chat_message_at, BigInteger).label("chat_message_at"),
    type_coerce(Visit.attributes, Text).label("attributes"),
    col(Visit.visit_number).label("visit_number"),
    col(Visit.cart_value).label("cart_value"),
    col(Visit.cart_currency).label("cart_currency"),
    col(Visit.site_id).label("site_id"),
)
"""The columns of `live_visits`; moments are milliseconds since the epoch, attributes JSON."""


def live_visits(
    db: Connection, site_ids: Sequence[int], now: datetime, most: int | None = None
) -> Sequence[Row[Any]]:
    """The visits of the sites that have not ended at `now`, in the default order; see LIVE_COLUMNS.

    most: only so many, the first ones.
    """
    if most is None:
        return _in_order(db, now, are_live(site_ids, now))
    # Idle visits come last: where there are enough others, the index leads past them.
    is_awake = and_(are_live(site_ids, now), ~is_idle(Visit, now))
    awake = _in_order(db, now, is_awake, most)
    if len(awake) == most:
        return awake
    are_idle = and_(are_live(site_ids, now), is_idle(Visit, now))
    return [*awake, *_in_order(db, now, are_idle, most - len(awake))]


def are_live(site_ids: Sequence[int], now: datetime) -> ColumnElement[bool]:
    """The condition for visits of the sites that have not ended at `now`."""
    return and_(col(Visit.site_id).in_(site_ids), is_live(Visit, now))


def _in_order(
    db: Connection, now: datetime, condition: ColumnElement[bool], most: int | None = None
) -> Sequence[Row[Any]]:
    statement = select(*LIVE_COLUMNS).where(condition).order_by(*default_order(now)).limit(most)
    return db.execute(statement).all()
