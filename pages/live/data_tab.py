"""The same visitors as a data frame for analysts: sort, search, choose columns, download."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.frames import UNKNOWN, Picture, narrow, order_by
from core.tables import Site
from core.visits.presence import Status
from pages.live.view import current_view
from pages.parts.colours import CONTEXT_COLOURS
from pages.parts.downloads import draw_downloads, taken
from pages.parts.site_choice import ALL_SITES
from pages.parts.texts import plural, small_text

ROWS = 1_000
"""The most rows shown: styling more takes seconds at every refresh. The downloads have every row."""

STATUS_INK = {
    "light": {Status.CHATTING.value: "#1d4ed8", Status.BROWSING.value: "#15803d"},
    "dark": {Status.CHATTING.value: "#7cabff", Status.BROWSING.value: "#4ade80"},
}
DIM = {"light": "#667085", "dark": "#8b95ab"}
"""The text colour of idle rows, by theme: readable, and paler than the rest."""

SHOWN = {
    "status": st.column_config.TextColumn("Status"),
    "path": st.column_config.TextColumn("Current Page", width="medium"),
    "site_name": st.column_config.TextColumn("Site"),
    "page_context": st.column_config.TextColumn("Context"),
    "cart": st.column_config.TextColumn("Cart"),
    "source": st.column_config.TextColumn("From"),
    "browser": st.column_config.TextColumn("Browser"),
    "country_shown": st.column_config.TextColumn("Country"),
    "page_count": st.column_config.NumberColumn("Pages"),
    "time_on_site": st.column_config.NumberColumn("Time on Site"),
    "idle_seconds": st.column_config.NumberColumn("Activity"),
    "os": st.column_config.TextColumn("OS"),
    "device": st.column_config.TextColumn("Device"),
    "visitor_name": st.column_config.TextColumn("Visitor"),
    "returning": st.column_config.TextColumn("Visit"),
    "title": st.column_config.TextColumn("Title"),
    "started_at": st.column_config.DatetimeColumn("Started", format="D MMM YYYY, HH:mm"),
}


def draw_data(picture: Picture, site: Site) -> None:
    """Draw the rows of the visitor table, in its order, up to ROWS, and downloads of all.

    All can be taken away, so for a viewer none has what may name somebody.
    """
    view = current_view()
    found = order_by(narrow(picture.visitors, view.filters()), view.sort or None, view.descending)
    with st.container(horizontal=True, vertical_alignment="center"):
        draw_downloads(
            found,
            f"visitors-{_file_part(site)}",
            site_ids=picture.site_ids,
            as_of=picture.as_of,
        )
        small_text(_summary(len(found), len(picture.visitors), site.time_zone))
    rows = taken(found.head(ROWS))
    st.dataframe(
        _styled(_shown(rows, site), rows),
        hide_index=True,
        column_config=SHOWN,
        height=min(38 + 35 * max(len(rows), 1), 640),
        placeholder="",
        key=f"data of {site.key}",
        alt="Active visitors",
    )


def _summary(found: int, all_visitors: int, time_zone: str) -> str:
    total = plural(all_visitors, "visitor")
    shown = total if found == all_visitors else f"{found:,} of {total}, as the table is filtered"
    cut = f"; the first {ROWS:,} are shown, the downloads have all" if found > ROWS else ""
    return f"{shown}{cut}. Times are in {time_zone}."


def _shown(rows: pd.DataFrame, site: Site) -> pd.DataFrame:
    country = (rows["flag"].astype("str") + " " + rows["country"].astype("str")).str.strip()
    country = country.mask(country == "", UNKNOWN)
    return rows.assign(
        country_shown=country, started_at=rows["started_at"].dt.tz_convert(site.time_zone)
    )[[name for name in SHOWN if _is_shown(name, rows, site)]]


def _is_shown(name: str, rows: pd.DataFrame, site: Site) -> bool:
    if name == "site_name":
        return site.key == ALL_SITES
    return name == "country_shown" or name in rows


def _file_part(site: Site) -> str:
    return "all-sites" if site.key == ALL_SITES else site.key


def _styled(shown: pd.DataFrame, rows: pd.DataFrame) -> Any:
    lengths = dict(zip(rows["time_on_site"], rows["time_on_site_label"], strict=True))
    activities = dict(zip(rows["idle_seconds"], rows["activity_label"], strict=True))
    theme = "dark" if st.context.theme.type == "dark" else "light"
    dim = pd.DataFrame("", shown.index, shown.columns).mask(rows["dim"], f"color: {DIM[theme]}")
    styler: Any = shown.style
    return (
        styler.apply(lambda _: dim, axis=None)
        .map(
            lambda status: f"color: {STATUS_INK[theme][status]}; font-weight: 600", subset="status"
        )
        .map(_badge, subset="page_context")
        .format({"time_on_site": lengths.get, "idle_seconds": activities.get})
    )


def _badge(context: str) -> str:
    colour = CONTEXT_COLOURS.get(context)
    return f"background-color: {colour.back}; color: {colour.text}" if colour else ""
