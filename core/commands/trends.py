"""python -m core trends: what is counted of visits by day, made anew."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
from sqlalchemy import func, select
from sqlmodel import col

from core.commands.owner_database import owner_database
from core.database import reading, writing
from core.locks import lock_site
from core.moment import utc_now
from core.rollups.count_step import CountStep, ask_again, count_some
from core.sites import existing_site, list_sites, site_of_id
from core.tables import Visit

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_AT_ONCE = 500
"""Visits that one transaction counts: beacons wait for it."""


@click.group()
def trends() -> None:
    """What is counted of visits by day, for the Trends page."""


@trends.command("rebuild")
@click.option("--site", "key", help="The site's short name; all sites without it.")
def rebuild(key: str | None) -> None:
    """Count all visits again that are stored, while everything runs.

    Days of which visits have been deleted keep what was counted of them.
    """
    with owner_database() as (_, engine):
        with reading(engine) as db:
            sites = [existing_site(db, key)] if key else list_sites(db)
            ids = [site.id for site in sites if site.id]
            total = sum(_count_stored(db, site_id) for site_id in ids)
        counted = 0
        hidden = not sys.stderr.isatty()
        with click.progressbar(
            length=total, label="Counting visits", file=sys.stderr, hidden=hidden
        ) as bar:
            for site_id in ids:
                with writing(engine) as db:
                    lock_site(db, site_id)
                    ask_again(db, site_id)
                step = CountStep(0, is_last=False)
                while not step.is_last:
                    step = _count(engine, site_id)
                    counted += step.visits
                    bar.update(step.visits)
    click.echo(f"Counted {counted:,} visits.")


def _count_stored(db: Connection, site_id: int) -> int:
    of_site = select(func.count()).select_from(Visit).where(col(Visit.site_id) == site_id)
    return db.execute(of_site).scalar_one()


def _count(engine: Engine, site_id: int) -> CountStep:
    """Of a site that was deleted meanwhile there is nothing to count."""
    with writing(engine) as db:
        lock_site(db, site_id)
        site = site_of_id(db, site_id)
        return CountStep(0, True) if site is None else count_some(db, site, utc_now(), _AT_ONCE)
