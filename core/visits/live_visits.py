"""Who is on a site at a moment."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Connection, Label, Row, Text, select, type_coerce
from sqlmodel import col

from core.tables import Visit
from core.visits.liveness import is_live

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


def live_visits(db: Connection, site_id: int, now: datetime) -> Sequence[Row[Any]]:
    """The visits that have not ended at `now`, in no order; see LIVE_COLUMNS."""
    statement = select(*LIVE_COLUMNS).where(col(Visit.site_id) == site_id, is_live(Visit, now))
    return db.execute(statement).all()
