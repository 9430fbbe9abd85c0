"""Whether beacons arrive, from where, and what was not stored and why."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.database import Connection
from core.deadline import DatabaseUnavailable, read
from core.moment import utc_now
from core.reasons import Reason
from core.tables import CollectorWarning, Site, SiteOrigin
from core.visits.arrivals import NO_SITE, collector_warnings, drops, origins
from pages.parts.notices import draw_fault
from pages.parts.table.component import Column, Kind, draw_table
from pages.parts.texts import day_and_time_of, notice, small_text, subheading
from pages.sites.drop_reasons import reason_text, warning_text

REFRESH = 5
"""Seconds between two checks."""

ORIGIN_COLUMNS = (
    Column("host", "Domain", Kind.PAGE, sorts=False),
    Column("last", "Last beacon", sorts=False),
    Column("hits", "Beacons", Kind.NUMBER, sorts=False),
)
DROP_COLUMNS = (
    Column("words", "Not stored in the last 24 hours", Kind.PAGE, sorts=False),
    Column("hits", "Beacons", Kind.NUMBER, sorts=False),
)


@dataclass(frozen=True)
class Arrivals:
    """What the collector has noted about a site."""

    origins: list[SiteOrigin]
    drops: dict[str, int]
    strays: int
    warnings: list[CollectorWarning]


def draw_arrivals(site: Site) -> None:
    """Draw the check, which repeats every REFRESH seconds."""
    st.fragment(_draw, run_every=REFRESH)(site)


def _draw(site: Site) -> None:
    try:
        found = read(lambda db: _arrivals(db, site))
    except DatabaseUnavailable as error:
        draw_fault(str(error))
        return
    for warning in found.warnings:
        notice(warning_text(warning.name), title="Set-up:", kind="bad")
    subheading("Are beacons arriving?")
    _draw_verdict(found, site)
    if found.origins:
        _draw_origins(found, site)
    _draw_drops(found)


def _draw_verdict(found: Arrivals, site: Site) -> None:
    if not site.tracking_enabled:
        notice("Tracking is off: beacons of this site are refused.", title="No.")
        return
    if not found.origins:
        text = (
            "No beacon of this site has arrived yet. Put the script into its pages and open one; "
            "reload a page that was open before the site was added."
        )
        notice(text, title="Not yet.")
        return
    newest = found.origins[0]
    last = day_and_time_of(newest.last_seen_at, site.time_zone)
    notice(
        f"The last one came {last} ({site.time_zone}) from {_host(newest)}.",
        title="Yes.",
        kind="good",
    )


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
        name="Domains from which beacons arrive",
        layout="list still",
    )


def _draw_drops(found: Arrivals) -> None:
    if not found.drops:
        small_text("Nothing was left out in the last 24 hours.")
    else:
        rows = pd.DataFrame(
            {
                "id": list(found.drops),
                "words": [reason_text(reason) for reason in found.drops],
                "hits": list(found.drops.values()),
            }
        )
        draw_table(
            rows,
            DROP_COLUMNS,
            key="drops",
            name="Beacons that were not stored",
            layout="list still",
        )
    if found.strays:
        notice(
            f"{found.strays:,} beacons of the last 24 hours named a site key that does not exist: "
            "compare the key in the tag with the key of the site.",
            title="Unknown key:",
        )


def _arrivals(db: Connection, site: Site) -> Arrivals:
    now = utc_now()
    assert site.id is not None
    return Arrivals(
        origins=origins(db, site.id),
        drops=drops(db, site.id, now),
        strays=drops(db, NO_SITE, now).get(Reason.UNKNOWN_SITE, 0),
        warnings=collector_warnings(db),
    )


def _host(origin: SiteOrigin) -> str:
    return origin.host or "a page without an origin"
