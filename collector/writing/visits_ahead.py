"""Visits that a clock which ran ahead has written, and from which nothing may come any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Engine, or_, select
from sqlmodel import col

from collector.writing.statements import Statements
from collector.writing.visit_batch import VisitBatch
from core.database import reading, writing
from core.locks import TAKE_WITHIN, take_sites
from core.moment import from_milliseconds, lasts_for
from core.sites import list_sites
from core.tables import Visit
from core.visits.liveness import is_plausible
from core.visits.presence import VISIT_ENDS_AFTER

SET_BACK_AT_ONCE = 200
"""Such visits of a site that one transaction sets back."""


def set_back_visits(engine: Engine, now: int) -> int:
    """Set back visits whose moments are ahead of now; returns how many, at most SET_BACK_AT_ONCE a site.

    Without a word from them they would be live again when the clock gets there, and never past their
    retention.
    """
    moment = from_milliseconds(now)
    with reading(engine) as connection:
        sites = [site.id for site in list_sites(connection) if site.id]
        ahead = {id: visits_ahead(connection, id, moment, SET_BACK_AT_ONCE) for id in sites}
    ahead = {id: visits for id, visits in ahead.items() if visits}
    if not ahead:
        return 0
    with writing(engine) as connection:
        taken = take_sites(connection, ahead, TAKE_WITHIN)
        batch = VisitBatch(Statements(engine), connection, now)
        for site_id in sorted(taken):
            batch.heal(site_id, ahead[site_id])
        batch.store()
    return sum(len(ahead[site_id]) for site_id in taken)


def visits_ahead(db: Connection, site_id: int, now: datetime, most: int) -> Sequence[str]:
    """The ids of the site's visits, at most so many, with moments that no right clock has written.

    Found along the index of activity: those that have ended need no look.
    """
    active_at, seen_at = col(Visit.last_activity_at), col(Visit.last_seen_at)
    is_ahead = or_(~is_plausible(active_at, now), ~is_plausible(seen_at, now))
    of_site = (col(Visit.site_id) == site_id, lasts_for(VISIT_ENDS_AFTER, active_at, now))
    return db.execute(select(col(Visit.id)).where(*of_site, is_ahead).limit(most)).scalars().all()
