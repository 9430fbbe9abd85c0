"""What ends the rows of each table, so that none grows without end; and of those that only age, how they go."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select, tuple_
from sqlmodel import col

from core.locks import TAKE_WITHIN, take_sites
from core.tables import CollectorWarning, DropCount, Site, SiteOrigin, Table
from core.visits.arrivals import NO_SITE

COUNTS_KEPT_AT_LEAST = timedelta(days=30)
"""However short retention is: a website that is quiet over the holidays is still known by its hosts (own)."""

COUNTS_KEPT_AT_MOST = timedelta(days=400)
"""However long retention is: no page shows refused reports of more than 24 hours ago (own: a year and a month,
for whoever compares a season with the last one in SQL)."""


class TableEnd(StrEnum):
    """What keeps a table from growing without end."""

    RETENTION = "its rows go with their visit, or after days that the owner chooses"
    OVER = "its rows go when their visit cannot change any more: `core.visits.memories`"
    AGE = "its rows go when they are old: `forget_old_counts`, `core.notices.store`"
    FIXED = "it has at most so many rows for each name, site or account, or for the last days"
    PEOPLE = "a row is made by a person who works here, and goes when they remove it"
    KEPT = "its rows stay for good: what is told of past years is counted from them"


TABLE_ENDS: Mapping[str, TableEnd] = {
    "visit": TableEnd.RETENTION,
    "page_view_row": TableEnd.RETENTION,
    "visit_span_row": TableEnd.RETENTION,
    "visit_change_row": TableEnd.RETENTION,
    "page": TableEnd.RETENTION,
    "visit_chunk": TableEnd.RETENTION,
    "visit_memory": TableEnd.OVER,
    "visit_tab": TableEnd.OVER,
    "conversation": TableEnd.RETENTION,
    "message": TableEnd.RETENTION,
    "conversation_note": TableEnd.RETENTION,
    "mail_answer": TableEnd.RETENTION,
    "chat_block": TableEnd.RETENTION,
    "notice": TableEnd.AGE,
    "notice_delivery": TableEnd.AGE,
    "drop_count": TableEnd.AGE,
    "site_origin": TableEnd.AGE,
    "collector_warning": TableEnd.AGE,
    "site_change": TableEnd.FIXED,
    "trend_site": TableEnd.FIXED,
    "visit_sequence": TableEnd.FIXED,
    "visit_edit": TableEnd.FIXED,
    "collector": TableEnd.FIXED,
    "chore_run": TableEnd.FIXED,
    "backlog": TableEnd.FIXED,
    "salt": TableEnd.FIXED,
    "secret": TableEnd.FIXED,
    "session": TableEnd.FIXED,
    "sign_in_link": TableEnd.FIXED,
    "chat_template": TableEnd.FIXED,
    "chat_rule": TableEnd.FIXED,
    "chat_look": TableEnd.FIXED,
    "site": TableEnd.PEOPLE,
    "agent": TableEnd.PEOPLE,
    "agent_site": TableEnd.PEOPLE,
    "agent_notices": TableEnd.PEOPLE,
    "notice_address": TableEnd.PEOPLE,
    "mail_server": TableEnd.PEOPLE,
    "backup": TableEnd.PEOPLE,
    "visit_count": TableEnd.KEPT,
    "trend_count": TableEnd.KEPT,
}
"""Every table. With its site a row goes in any case (core/removal.py)."""


def counts_kept_for(retention: timedelta) -> timedelta:
    """For how long what was counted is kept: as long as visits, within bounds. retention: 0 keeps visits for good."""
    return max(COUNTS_KEPT_AT_LEAST, min(retention or COUNTS_KEPT_AT_MOST, COUNTS_KEPT_AT_MOST))


def forget_old_counts(db: Connection, now: datetime, retention: timedelta, at_once: int) -> int:
    """Delete refused reports of old slots, and hosts and warnings that have not been seen for as long.

    Returns how many rows of one table and site went, at most `at_once`: with as many there may be more.
    What is of a site that somebody else writes for longer stays until the next time.
    """
    before = now - counts_kept_for(retention)
    sites = [
        NO_SITE,
        *(site_id for site_id in db.execute(select(col(Site.id))).scalars() if site_id),
    ]
    # Whoever counts, and whoever deletes a site, does so under these locks too.
    taken = take_sites(db, sites, TAKE_WITHIN)
    most = 0
    for site_id in sorted(taken):  # along the keys, which begin with the site
        of_site = (col(DropCount.site_id) == site_id, col(DropCount.starts_at) < before)
        most = max(most, _delete(db, DropCount, at_once, *of_site))
        of_site = (col(SiteOrigin.site_id) == site_id, col(SiteOrigin.last_seen_at) < before)
        most = max(most, _delete(db, SiteOrigin, at_once, *of_site))
    if NO_SITE in taken:
        _delete(db, CollectorWarning, at_once, col(CollectorWarning.last_seen_at) < before)
    return most


def _delete(db: Connection, table: type[Table], at_once: int, *where: ColumnElement[bool]) -> int:
    rows = Table.metadata.tables[str(table.__tablename__)]
    key: list[Any] = list(rows.primary_key)
    some = select(*key).where(*where).limit(at_once)
    return db.execute(delete(rows).where(tuple_(*key).in_(some))).rowcount
