"""Who is on a site at a moment."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Label,
    Row,
    Select,
    Text,
    and_,
    bindparam,
    select,
    type_coerce,
)
from sqlmodel import col

from core.moment import to_milliseconds
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


ASKED_SITES: BindParameter[Any] = bindparam("site_ids", expanding=True)
ASKED_MOMENT = bindparam("now", type_=BigInteger)
"""What `asked` gives a value, in statements that are made once: to make one takes as long as a short one runs."""

_MOST = bindparam("most", type_=Integer)


def asked(site_ids: Sequence[int], now: datetime) -> dict[str, Any]:
    """The values of ASKED_SITES and ASKED_MOMENT."""
    return {"site_ids": site_ids, "now": to_milliseconds(now)}


def live_visits(
    db: Connection, site_ids: Sequence[int], now: datetime, most: int | None = None
) -> Sequence[Row[Any]]:
    """The visits of the sites that have not ended at `now`, in the default order; see LIVE_COLUMNS.

    most: only so many, the first ones.
    """
    values = asked(site_ids, now)
    if most is None:
        return db.execute(_all_in_order(), values).all()
    # Idle visits come last: where there are enough others, the index leads past them.
    awake = db.execute(_first_in_order(are_idle=False), values | {"most": most}).all()
    if len(awake) == most:
        return awake
    values["most"] = most - len(awake)
    return [*awake, *db.execute(_first_in_order(are_idle=True), values).all()]


def are_live(site_ids: Any, now: Any) -> ColumnElement[bool]:
    """The condition for visits of the sites that have not ended at `now`; both may be bound later."""
    return and_(col(Visit.site_id).in_(site_ids), is_live(Visit, now))


@cache
def _all_in_order() -> Select[Any]:
    live = are_live(ASKED_SITES, ASKED_MOMENT)
    return select(*LIVE_COLUMNS).where(live).order_by(*default_order(ASKED_MOMENT))


@cache
def _first_in_order(*, are_idle: bool) -> Select[Any]:
    idle = is_idle(Visit, ASKED_MOMENT)
    return _all_in_order().where(idle if are_idle else ~idle).limit(_MOST)
