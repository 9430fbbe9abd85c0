"""Whether page views arrive, from which websites, and what was not recorded and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import streamlit as st

from core.accounts.identity import Role
from core.database import Connection
from core.enrich.country import COUNTRY_FILE
from core.moment import utc_now
from core.reasons import Reason
from core.tables import CollectorWarning, Site, SiteOrigin
from core.visits.arrivals import (
    ARRIVING_FOR,
    NO_SITE,
    Drops,
    SeenPage,
    collector_warnings,
    count_page_views,
    drops,
    last_page_view,
    origins,
)
from pages.parts.drop_reasons import reason_text, warning_text
from pages.parts.first_view import draw_first_view
from pages.parts.notices import draw_unanswered
from pages.parts.table.component import Column, Kind, draw_table
from pages.parts.texts import day_and_time_of, notice, plural, small_text, subheading
from pages.parts.viewer import REFUSALS, read_as

REFRESH = 5
"""Seconds between two checks."""

ORIGIN_COLUMNS = (
    Column("host", "Website", Kind.PAGE, sorts=False),
    Column("last", "Last report", sorts=False),
    Column("hits", "Reports", Kind.NUMBER, sorts=False),
)
DROP_COLUMNS = (
    Column("words", "Not recorded in the last 24 hours", Kind.PAGE, sorts=False),
    Column("last", "Last, after", sorts=False),
    Column("hits", "Reports", Kind.NUMBER, sorts=False),
)


@dataclass(frozen=True)
class Arrivals:
    """What the collector has noted about a site; views: those of the last ARRIVING_FOR."""

    views: int
    newest: SeenPage | None
    origins: list[SiteOrigin]
    drops: dict[str, Drops]
    strays: Drops | None
    warnings: list[CollectorWarning]


def draw_arrivals(site: Site) -> None:
    """Draw the check, which repeats every REFRESH seconds."""
    st.fragment(_draw, run_every=REFRESH)(site)


def _draw(site: Site) -> None:
    now = utc_now()
    try:
        found = read_as(Role.ADMIN, lambda db: _arrivals(db, site, now), site)
    except REFUSALS as error:
        draw_unanswered(error)
        return
    for warning in found.warnings:
        notice(warning_text(warning.name), title="Set-up:", kind="bad")
    subheading("Are page views arriving?")
    _draw_verdict(found, site)
    if found.origins:
        _draw_origins(found, site)
    _draw_drops(found, site)


def _draw_verdict(found: Arrivals, site: Site) -> None:
    if not site.tracking_enabled:
        notice("Tracking is off: nobody is recorded.", title="No.")
    elif found.newest is None:
        draw_first_view(site)
    elif found.views:
        minutes = int(ARRIVING_FOR.total_seconds() // 60)
        text = f"{plural(found.views, 'page view')} in the last {minutes} minutes."
        notice(f"{text} The newest: {found.newest.path}", title="Yes.", kind="good")
    else:
        last = day_and_time_of(found.newest.viewed_at, site.time_zone)
        text = f"None since {last} ({site.time_zone}), of {found.newest.path}"
        notice(text, title="Not at the moment.")


def _draw_origins(found: Arrivals, site: Site) -> None:
    rows = pd.DataFrame(
        {
            "id": [str(position) for position in range(len(found.origins))],
            "host": [_host(origin) for origin in found.origins],
            "last": [day_and_time_of(o.last_seen_at, site.time_zone) for o in found.origins],
            "hits": [origin.hits for origin in found.origins],
        }
    )
    draw_table(
        rows,
        ORIGIN_COLUMNS,
        key=f"origins of {site.key}",
        name="Websites that report",
        layout="list still",
    )


def _draw_drops(found: Arrivals, site: Site) -> None:
    if not found.drops:
        small_text("Nothing was left out in the last 24 hours.")
    else:
        rows = pd.DataFrame(
            {
                "id": list(found.drops),
                "words": [reason_text(reason) for reason in found.drops],
                "last": [
                    day_and_time_of(each.last_slot, site.time_zone) for each in found.drops.values()
                ],
                "hits": [each.hits for each in found.drops.values()],
            }
        )
        draw_table(
            rows,
            DROP_COLUMNS,
            key="drops",
            name="Reports that were not recorded",
            layout="list still",
        )
    if found.strays:
        last = day_and_time_of(found.strays.last_slot, site.time_zone)
        notice(
            f"{plural(found.strays.hits, 'report')} of the last 24 hours, the last one after {last}, "
            "came from a tag that names no site, or one that was deleted: compare the tags in your "
            "pages with the tag of the site.",
            title="Unknown tag:",
        )


def _arrivals(db: Connection, site: Site, now: datetime) -> Arrivals:
    assert site.id is not None
    return Arrivals(
        views=count_page_views(db, site.id, now - ARRIVING_FOR, now),
        newest=last_page_view(db, site.id, now),
        origins=origins(db, site.id),
        drops=drops(db, site.id, now),
        strays=drops(db, NO_SITE, now).get(Reason.UNKNOWN_SITE),
        # The country database is no website's affair: Health tells of it.
        warnings=[each for each in collector_warnings(db) if each.name != COUNTRY_FILE],
    )


def _host(origin: SiteOrigin) -> str:
    return origin.host or "a page without an address"
