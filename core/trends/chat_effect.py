"""What became of visits that were invited to a chat, beside those that were not.

That is no experiment: agents and rules invite whom they take for buyers. Whoever shows it says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
from sqlalchemy import BigInteger, Connection, func, or_, select, type_coerce
from sqlmodel import col

from core.chat.states import OpenedBy
from core.enrich.page_context import PageContext
from core.moment import to_milliseconds
from core.plain_rows import plain_rows
from core.rollups.dimensions import STARTED_AT, Dimension, began_within
from core.tables import Conversation, Page, PageViewRow, Site, Visit
from core.trends.counted_days import CountedSite
from core.trends.counts import count_period
from core.trends.filters import NO_FILTERS
from core.trends.period import TrendPeriod
from core.visits.calendar import Period

GROUPS = {
    "not_invited": "Not invited",
    "invited": "Invited",
    "accepted": "Invited, and accepted",
    "by_visitor": "Began a chat themselves",
}
"""The groups of visits, with their labels."""


@dataclass(frozen=True, eq=False)
class ChatEffect:
    """Visits of a site that began in a period, and those of them that purchased, by what became of a chat. It is equal to
    itself only.

    frame: a row for each of GROUPS. Columns: group, label, visits, purchased (visits that saw a page with the context
    Purchased; of the others than `not_invited` after the invitation or the chat's begin), share (of its visits).
    Accepted ones are also in `invited`. Who had purchased before counts as not invited. A visit that was invited
    and also began a chat itself is what came first.
    rows_since: where visits of the period are deleted for their age, from when on all are counted; else None. Of the
    others nobody knows whether they were invited.
    """

    frame: pd.DataFrame
    rows_since: datetime | None


def chat_effect(db: Connection, site: Site, period: TrendPeriod) -> ChatEffect:
    """What became of the visits of the period, as far as these are stored."""
    assert site.id is not None
    known = CountedSite.read(db, site)
    stored_since = known.state.thinned_until
    bounds = Period(max(period.bounds.from_at, stored_since), period.bounds.until_at)
    dimensions = (Dimension.SLOT, Dimension.CONTEXT)
    counts = count_period(db, known, bounds, NO_FILTERS, dimensions, lambda visits: None)
    total = int(counts.slots.visits.sum())
    bought = sum(
        count.visits
        for count in counts.values[Dimension.CONTEXT]
        if count.value == PageContext.PURCHASED.value
    )
    chats = _chats(db, site.id, bounds)
    invited = chats["opened_by"] != OpenedBy.VISITOR.value
    members = {
        "invited": chats[invited],
        "accepted": chats[invited & chats["accepted_at"].notna()],
        "by_visitor": chats[~invited],
    }
    visits = {name: len(rows) for name, rows in members.items()}
    purchased = {name: int(rows["purchased_at"].notna().sum()) for name, rows in members.items()}
    visits["not_invited"] = total - len(chats)
    purchased["not_invited"] = bought - int(chats["purchased_at"].notna().sum())
    frame = pd.DataFrame(
        {
            "group": list(GROUPS),
            "label": list(GROUPS.values()),
            "visits": [visits[name] for name in GROUPS],
            "purchased": [purchased[name] for name in GROUPS],
            "share": [purchased[name] / max(visits[name], 1) for name in GROUPS],
        }
    )
    return ChatEffect(frame, stored_since if stored_since > period.bounds.from_at else None)


def _chats(db: Connection, site_id: int, bounds: Period) -> pd.DataFrame:
    """The first conversation of each visit that had not purchased before: opened_by, accepted_at, purchased_at.

    Of invitations those that the visitor saw: one that expired on its way changed nothing.
    """
    began = type_coerce(col(Conversation.created_at), BigInteger)
    accepted = type_coerce(col(Conversation.accepted_at), BigInteger)
    is_its = (col(Conversation.site_id) == col(Visit.site_id)) & (
        col(Conversation.visit_id) == col(Visit.id)
    )
    statement = (
        select(
            col(Visit.number), col(Conversation.opened_by), began, accepted, _purchased_at(site_id)
        )
        .select_from(Visit)
        .join(Conversation, is_its)
        .where(
            col(Conversation.site_id) == site_id,
            # No visit has a chat before it begins. There are fewer chats than visits: they are looked for first.
            began >= to_milliseconds(bounds.from_at),
            *began_within(bounds),
            or_(
                col(Conversation.opened_by) == OpenedBy.VISITOR.value,
                col(Conversation.shown_at).is_not(None),
                col(Conversation.accepted_at).is_not(None),
            ),
        )
        .order_by(col(Visit.number), began)
    )
    columns = ["visit", "opened_by", "began_at", "accepted_at", "purchased_at"]
    chats = pd.DataFrame([*plain_rows(db, statement)], columns=columns)
    first = chats.drop_duplicates("visit")
    return first[~(first["purchased_at"] < first["began_at"])]


def _purchased_at(site_id: int) -> Any:
    """When the visit first saw a page with the context Purchased; NULL: it did not."""
    pages = select(col(Page.id)).where(
        col(Page.site_id) == site_id, col(Page.page_context) == PageContext.PURCHASED.value
    )
    first = select(STARTED_AT + func.min(col(PageViewRow.viewed_after))).where(
        col(PageViewRow.site_id) == site_id,
        col(PageViewRow.visit) == col(Visit.number),
        col(PageViewRow.page).in_(pages),
    )
    return first.correlate(Visit).scalar_subquery()
