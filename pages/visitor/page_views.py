"""The table of a visit's page views."""

from __future__ import annotations

from collections.abc import Sequence

from core.frames import Journey
from core.moment import utc_now
from core.tables import Site
from pages.parts.colours import CONTEXT_COLOURS
from pages.parts.table.component import Clock, Column, Kind, draw_table
from pages.parts.texts import time_of

COLUMNS = (
    Column("time", "Time", sorts=False),
    Column("path", "Page", Kind.PAGE, tooltip="path", sorts=False),
    Column("title", "Title", tooltip="title", sorts=False),
    Column("page_context", "Context", Kind.BADGE, colours=CONTEXT_COLOURS, sorts=False),
    Column(
        "seconds",
        "Time on Page",
        Kind.LENGTH,
        help="How long the page was in view",
        ticks="in_view",
        sorts=False,
    ),
)


def draw_page_views(
    journey: Journey,
    site: Site,
    *,
    key: str,
    name: str,
    is_ticking: bool,
    is_past: bool = False,
    is_newest_first: bool = False,
    left_out: Sequence[str] = (),
) -> None:
    """Draw each page view with its moment in the site's time zone, the first one first.

    is_past: the journey is of a past moment, and its lengths stay as they were. left_out: names of columns for which
    there is no room.
    """
    views = journey.page_views.iloc[::-1] if is_newest_first else journey.page_views
    rows = views.assign(
        id=views.index.astype("str"),
        time=[time_of(moment, site.time_zone) for moment in views["viewed_at"]],
    )
    draw_table(
        rows[["id", "in_view", *(column.name for column in COLUMNS)]],
        [column for column in COLUMNS if column.name not in left_out],
        key=key,
        name=name,
        layout="list cards still",
        empty="No page view is known of this visit.",
        clock=Clock(
            age=0 if is_past else (utc_now() - journey.as_of).total_seconds(),
            ticking=is_ticking and journey.is_live,
        ),
    )
