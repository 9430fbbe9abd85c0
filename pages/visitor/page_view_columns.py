"""The columns of a visit's page views."""

from __future__ import annotations

from pages.live.columns import CONTEXT_COLOURS
from pages.parts.table.component import Column, Kind

PAGE_VIEW_COLUMNS = (
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
