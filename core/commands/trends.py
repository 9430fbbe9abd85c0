"""python -m core trends: what is counted of days, made anew."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import click

from core.commands.owner_database import owner_database
from core.database import reading, writing
from core.locks import lock_site
from core.moment import utc_now
from core.rollups.day_tally import DayTally
from core.rollups.days import counted_days, is_over, oldest_day
from core.sites import existing_site, has_site, list_sites
from core.visits.calendar import local_day

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from core.tables import Site

_AT_ONCE = 1_000
"""Visits that are counted between two signs of progress."""

_TRIES = 3
"""A day is counted again when visits were deleted meanwhile."""


@click.group()
def trends() -> None:
    """What is counted of whole days, for the Trends page."""


@trends.command("rebuild")
@click.option("--site", "key", help="The site's short name; all sites without it.")
def rebuild(key: str | None) -> None:
    """Count the days again whose visits are all stored, while everything runs.

    Days of which visits have been deleted keep what was counted of them.
    """
    now = utc_now()
    with owner_database() as (_, engine):
        with reading(engine) as db:
            sites = [existing_site(db, key)] if key else list_sites(db)
            days = [(site, day) for site in sites for day in _days(db, site, now)]
        counted = visits = 0
        with click.progressbar(
            days, label="Counting days", file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as shown:
            for site, day in shown:
                found = _count(engine, site, day)
                counted, visits = counted + (found is not None), visits + (found or 0)
    click.echo(f"Counted {visits:,} visits of {counted:,} days.")


def _days(db: Connection, site: Site, now: datetime) -> Iterator[date]:
    """Those that are over, from that of the oldest visit on, but for those that have lost visits."""
    day = oldest_day(db, site)
    thinned = {each.day for each in counted_days(db, site).values() if each.is_thinned}
    while day is not None and day < local_day(site.time_zone, now) and is_over(db, site, day, now):
        if day not in thinned:
            yield day
        day += timedelta(days=1)


def _count(engine: Engine, site: Site, day: date) -> int | None:
    """How many visits; None: the site was deleted, or visits of the day all the time."""
    for _ in range(_TRIES):
        tally = DayTally(site, day)
        while not tally.is_whole:
            with reading(engine) as db:
                tally.count_some(db, _AT_ONCE)
        with writing(engine) as db:
            lock_site(db, tally.site_id)
            if not has_site(db, tally.site_id):
                return None
            if tally.store(db):
                return tally.visits
    return None
