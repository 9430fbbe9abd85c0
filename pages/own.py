"""What a page of one's own builds on. These names stay, with what they do, when the rest is rebuilt.

docs/charts.md walks through such a page. Besides these, `core.frames` and the tables of docs/schema.md stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from core.accounts.identity import Role
from core.frames import Picture, answer_frame
from core.moment import utc_now
from core.tables import Site
from pages.parts.charts import MUTED, draw_chart
from pages.parts.downloads import draw_downloads
from pages.parts.notices import draw_unavailable
from pages.parts.shown_data import draw_shown_data
from pages.parts.site_choice import choose_site, chosen_site, draw_other_site, requested_key
from pages.parts.snapshots import latest_picture, latest_sites
from pages.parts.texts import day_of, heading, notice, plural, small_text, subheading, time_of
from pages.parts.viewer import may, read_as

__all__ = [
    "MUTED",
    "Role",
    "answer",
    "day_of",
    "draw_chart",
    "draw_downloads",
    "draw_shown_data",
    "heading",
    "may",
    "notice",
    "open_site",
    "picture_of",
    "plural",
    "sites",
    "small_text",
    "subheading",
    "time_of",
    "utc_now",
]


def open_site(title: str) -> Site | None:
    """The site that the page is about; draws the title, and a choice where the viewer sees several sites.

    None where there is none to be shown; why stands on the page then, and the page has nothing to add.
    """
    snapshot = latest_sites(utc_now(), requested_key())
    if snapshot.sites is None:
        draw_unavailable(snapshot.fault, title)
        return None
    heading(title)
    site = chosen_site(snapshot.sites)
    if site is None:
        notice("Add a site first, or ask an admin for one.", title="There is no site for you.")
        return None
    choose_site(snapshot.sites, site)
    draw_other_site(site)
    return site


def sites() -> Sequence[Site]:
    """The sites that the viewer may see; none while that is not known."""
    return latest_sites(utc_now()).sites or []


def answer(site: Site, sql: str, **values: Any) -> pd.DataFrame:
    """The rows of a SELECT; `:site` in it is this site's id, the others are named here. Columns that end in
    `_at` are moments in UTC.

    What the viewer may not see, and a database that does not answer within 5 seconds, ends the page with a notice.
    """
    assert site.id is not None
    named = {"site": site.id, **values}
    return read_as(Role.VIEWER, lambda db: answer_frame(db, sql, **named), site)


def picture_of(site: Site) -> Picture | None:
    """The site now, as Visitor Monitor shows it: `.visitors`, `.days`, `.cards`, `.breakdowns`; None while the
    database does not answer."""
    return latest_picture(site, utc_now()).picture
