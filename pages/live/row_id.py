"""A visitor's name in the table and in the page's address, unique over all that the page shows."""

from __future__ import annotations

from collections.abc import Sequence

from core.tables import Site
from pages.parts.site_choice import ALL_SITES


def row_id(visit_site: str, visit_id: str, site_key: str) -> str:
    """The visit's id; where the page shows all sites, "KEY ID". visit_site: the key of the visit's site; site_key: of the page's."""
    return f"{visit_site} {visit_id}" if site_key == ALL_SITES else visit_id


def visit_of(row_id: str, sites: Sequence[Site]) -> tuple[Site, str] | None:
    """The site and the id of the visit, one of the sites that the page shows; None for another."""
    key, _, visit_id = row_id.rpartition(" ")
    if not key and len(sites) == 1:
        return sites[0], visit_id
    return next(((site, visit_id) for site in sites if site.key == key), None)
