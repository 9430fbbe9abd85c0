"""A visitor's name in the table and in the page's address, unique over all that the page shows."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from core.tables import Site
from pages.parts.site_choice import ALL_SITES


def row_ids(visitors: pd.DataFrame, site_key: str) -> pd.Series[str]:
    """The visit's id; where the page shows all sites, "KEY ID"."""
    if site_key != ALL_SITES:
        return visitors["id"]
    return visitors["site"].astype("str") + " " + visitors["id"]


def visit_of(row_id: str, sites: Sequence[Site]) -> tuple[Site, str] | None:
    """The site and the id of the visit, one of the sites that the page shows; None for another."""
    key, _, visit_id = row_id.rpartition(" ")
    if not key and len(sites) == 1:
        return sites[0], visit_id
    return next(((site, visit_id) for site in sites if site.key == key), None)
