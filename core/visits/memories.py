"""What the collector remembers of visits goes once they cannot change any more."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, func, select
from sqlmodel import col

from core.tables import (
    PageViewRow,
    Visit,
    VisitChangeRow,
    VisitMemory,
    VisitSpanRow,
    VisitTab,
)
from core.visits.presence import VISIT_ENDS_AFTER
from core.visits.tab_state import Memory

_LATE_DELIVERY = timedelta(minutes=30)
"""What is told of a moment arrives within this (docs/beacon.md)."""

_ARRIVES_WITHIN = _LATE_DELIVERY + timedelta(minutes=5)
"""With room for clocks: from a visit's start until it has its number."""

REMEMBERED_FOR = 2 * VISIT_ENDS_AFTER + _LATE_DELIVERY + timedelta(minutes=30)
"""After its last activity an interaction may be told for VISIT_ENDS_AFTER, and what comes after that for
as long again; that arrives late. The rest is for clocks that are set back a little."""


def forget_memories(db: Connection, site_id: int, now: datetime, at_once: int) -> int:
    """Delete what is remembered of visits of the site that are over; returns of how many, at most `at_once`.

    The caller holds the lock of those who write visits. Numbers are given in the order of arrival: so those
    above that of a visit which has surely arrived later need no look.
    """
    before = now - REMEMBERED_FOR
    of_site = (col(Visit.site_id) == site_id, col(Visit.started_at) >= before + _ARRIVES_WITHIN)
    later = select(col(Visit.number)).where(*of_site).order_by(col(Visit.started_at)).limit(1)
    first_later: int | None = db.execute(later).scalar()
    is_its_visit = and_(
        col(Visit.site_id) == col(VisitMemory.site_id), col(Visit.number) == col(VisitMemory.visit)
    )
    is_older = () if first_later is None else (col(VisitMemory.visit) < first_later,)
    over = (
        select(col(VisitMemory.visit))
        .join(Visit, is_its_visit)
        .where(
            col(VisitMemory.site_id) == site_id,
            *is_older,
            col(Visit.last_activity_at) < before,
        )
        .order_by(col(VisitMemory.visit))
        .limit(at_once)
    )
    visits = db.execute(over).scalars().all()
    for table in (VisitMemory, VisitTab) if visits else ():
        db.execute(delete(table).where(col(table.site_id) == site_id, col(table.visit).in_(visits)))
    return len(visits)


def lost_memory(db: Connection, site_id: int, visit: int) -> Memory:
    """The memory of a visit, by its number, that has none though something comes from it: a clock has jumped.

    What comes is a new tab: its rows must not meet those of another.
    """
    tabs, changes = (
        [
            db.execute(
                select(func.max(column)).where(
                    col(table.site_id) == site_id, col(table.visit) == visit
                )
            ).scalar()
            for table, column in of_table
        ]
        for of_table in (
            ((PageViewRow, col(PageViewRow.tab)), (VisitSpanRow, col(VisitSpanRow.tab))),
            ((VisitChangeRow, col(VisitChangeRow.number)),),
        )
    )
    return Memory(tab_count=max(0, *(tab or 0 for tab in tabs)), change_count=changes[0] or 0)
