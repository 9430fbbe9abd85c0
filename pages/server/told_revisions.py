"""The revision of each site that browsers were told of last: what a page then reads may be no older."""

from __future__ import annotations

from collections.abc import Mapping

from core.database import Connection
from core.site_changes import site_revision
from core.tables import Site

_told: dict[str, int] = {}
"""By the site's key."""


def note_told(revisions: Mapping[str, int]) -> None:
    """These revisions, by the sites' keys, are told to browsers now."""
    _told.update(revisions)


def has_told(db: Connection, site: Site) -> bool:
    """Whether this snapshot, of a replica perhaps, has the change of the site that was told last."""
    return site_revision(db, site.id) >= _told.get(site.key, 0)
