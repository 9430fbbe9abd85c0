"""What of a frame may be taken away, and the buttons that do it: CSV for spreadsheets, Parquet for programs.

A file is made at the click, and asks once more who it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from typing import TypeVar

import pandas as pd
import streamlit as st

from core.accounts.identity import Role
from core.frames import csv_of, parquet_of, without_names
from core.moment import utc_now
from pages.parts.viewer import NOT_YOURS, NotAllowed, for_viewer, may, viewer

Written = TypeVar("Written", str, bytes)


def draw_downloads(
    frame: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    *,
    site_ids: Collection[int],
    as_of: datetime | None = None,
    help: str | None = None,
) -> None:
    """Draw Download CSV and Download Parquet, side by side in a horizontal container.

    frame: or what makes it, which is called at the click. name: the file's, without moment and ending; of
    each page's buttons another. site_ids: of the sites that the frame is of, which the viewer must see.
    as_of: the moment in the file's name; that of drawing without it. help: a tooltip.
    """

    moment = f"{as_of or utc_now():%Y%m%d-%H%M%S}Z"

    def loaded() -> pd.DataFrame:
        if not all(map(viewer().sees, site_ids)):
            raise NotAllowed(NOT_YOURS)
        return taken(frame if isinstance(frame, pd.DataFrame) else frame())

    def draw(kind: str, mime: str, write: Callable[[pd.DataFrame], Written]) -> None:
        st.download_button(
            f"Download {kind}",
            data=for_viewer(lambda: write(loaded())),
            file_name=f"{name}-{moment}.{kind.lower()}",
            mime=mime,
            icon=":material/download:",
            help=help,
            on_click="ignore",
            key=f"{kind} of {name}",
        )

    draw("CSV", "text/csv", csv_of)
    draw("Parquet", "application/vnd.apache.parquet", parquet_of)


def taken(frame: pd.DataFrame) -> pd.DataFrame:
    """What of the frame the viewer may take away: who only looks takes no names."""
    return frame if may(Role.AGENT) else without_names(frame)
