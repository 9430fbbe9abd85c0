"""What the pages last read from the database, cached for all viewers.

However many viewers there are, a site is read at most once in TICK; when the database does not
answer, the last snapshot is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import streamlit as st

from core.database import Connection
from core.deadline import DatabaseUnavailable, database_url, read
from core.frames import Picture, live_picture
from core.sites import find_site, list_sites
from core.tables import Site

TICK = timedelta(seconds=2)
"""The shortest refresh that an agent can choose."""


@dataclass(frozen=True)
class PictureSnapshot:
    """The newest picture, if there ever was one; `fault` says why it is out of date."""

    picture: Picture | None
    fault: str = ""


@dataclass(frozen=True)
class SitesSnapshot:
    """The sites, or None when they are not known; `fault` as in PictureSnapshot."""

    sites: Sequence[Site] | None
    fault: str = ""

    @property
    def tracked(self) -> list[Site]:
        """The sites whose tracking is on."""
        return [site for site in self.sites or () if site.tracking_enabled]

    def find(self, key: str) -> Site | None:
        """The site with this key, or None."""
        return next((site for site in self.sites or () if site.key == key), None)


def latest_picture(site: Site, now: datetime, revision: int = 0) -> PictureSnapshot:
    """The site's picture at `now`, at most TICK old, or the last one with the fault.

    A cached picture from before this revision of the chats is not used.
    """
    last = _last_pictures()
    try:
        address = (database_url(), site.key)
        picture, fault = _picture(*address, _tick(now), revision, now)
    except DatabaseUnavailable as error:
        return PictureSnapshot(None, str(error))
    if picture is not None:
        last[address] = picture
    return PictureSnapshot(last.get(address), fault)


def latest_sites(now: datetime, key: str = "") -> SitesSnapshot:
    """Every site at `now`, at most TICK old, or the last known ones with the fault.

    With a `key` that no cached site has, the sites are read again: it may have been added just now.
    While the database cannot say so, no other site takes its place; nor does "none" when there was none.
    """
    snapshot = _latest_sites(now)
    if key and snapshot.find(key) is None and not snapshot.fault:
        clear_sites()
        snapshot = _latest_sites(now)
    is_known = snapshot.find(key) if key else snapshot.sites
    return snapshot if is_known or not snapshot.fault else SitesSnapshot(None, snapshot.fault)


def _latest_sites(now: datetime) -> SitesSnapshot:
    last = _last_sites()
    try:
        address = database_url()
        sites, fault = _sites(address, _tick(now))
    except DatabaseUnavailable as error:
        return SitesSnapshot(None, str(error))
    if sites is not None:
        last[address] = sites
    return SitesSnapshot(last.get(address), fault)


def clear_sites() -> None:
    """Clear the cached sites, after one of them was changed."""
    _sites.clear()


def _tick(now: datetime) -> int:
    return int(now.timestamp() // TICK.total_seconds())


# A failure is cached too: all who wait for the database get it at once.
@st.cache_data(ttl=TICK * 2, max_entries=100, show_spinner=False)
def _picture(
    url: str, key: str, tick: int, revision: int, _now: datetime
) -> tuple[Picture | None, str]:
    try:
        return read(lambda db: _draw(db, key, _now)), ""
    except DatabaseUnavailable as error:
        return None, str(error)


@st.cache_data(ttl=TICK * 2, max_entries=10, show_spinner=False)
def _sites(url: str, tick: int) -> tuple[Sequence[Site] | None, str]:
    try:
        return read(list_sites), ""
    except DatabaseUnavailable as error:
        return None, str(error)


def _draw(db: Connection, key: str, now: datetime) -> Picture | None:
    site = find_site(db, key)
    return None if site is None else live_picture(db, site, now)


@cache
def _last_pictures() -> dict[tuple[str, str], Picture]:
    return {}


@cache
def _last_sites() -> dict[str, Sequence[Site]]:
    return {}
