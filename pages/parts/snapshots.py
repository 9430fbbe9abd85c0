"""What the pages last read from the database, shared by all viewers; each gets the sites that they may see.

However many viewers there are, a site is read once for all of them. When the database does not answer,
what was read last is kept. What is shared is never changed by a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.accounts.identity import Identity, SiteIds
from core.database import Connection
from core.deadline import DatabaseUnavailable, database_url
from core.frames import Picture, picture_at
from core.removal import Removal, removals
from core.sites import find_site, list_sites
from core.tables import Site
from pages.parts.site_choice import ALL_SITES
from pages.parts.viewer import viewer_of_run
from pages.server.shared import Shared, WatchedSites

TICK = timedelta(seconds=2)
"""The shortest refresh that an agent can choose."""

FIRST_ROWS = 100
"""The visitors that a picture has where not all are asked for: a page of the table."""

REMOVALS_SHARED_FOR = timedelta(seconds=4)
"""How old the progress of deleted sites may be: their visits are counted for it."""


@dataclass(frozen=True)
class PictureSnapshot:
    """The newest picture, if there ever was one; `fault` says why it is out of date.

    revision: it contains every change of a site up to this one.
    """

    picture: Picture | None
    revision: int = 0
    fault: str = ""


@dataclass(frozen=True)
class SitesSnapshot:
    """The sites that the viewer may see, or None when they are not known; `fault` as in PictureSnapshot."""

    sites: Sequence[Site] | None
    fault: str = ""

    @property
    def tracked(self) -> list[Site]:
        """The sites whose tracking is on."""
        return [site for site in self.sites or () if site.tracking_enabled]

    def find(self, key: str) -> Site | None:
        """The site with this key, or None."""
        return next((site for site in self.sites or () if site.key == key), None)


def latest_picture(
    site: Site, now: datetime, revision: int = 0, *, every_row: bool = True
) -> PictureSnapshot:
    """The picture of the site, or of all that the viewer may see, at `now`, or the last one with the fault.

    It is at most SHARED_FOR old, and contains every change up to this revision (core/site_changes.py).
    every_row: of its visitors it has all, and not only the first ones.
    """
    try:
        identity = viewer_of_run()
        whole, first = (
            _shared_picture(database_url(), site.key, identity.site_ids, most_rows)
            for most_rows in (None, FIRST_ROWS)
        )
    except DatabaseUnavailable as error:
        return PictureSnapshot(None, fault=str(error))
    if site.key != ALL_SITES and not identity.sees(site.id):
        return PictureSnapshot(None)
    scope = _scope(site.key, identity)
    # Once another viewer needs every row, they are read once for all.
    asked = whole if every_row or whole.is_known(now, revision, scope) else first
    snapshot = PictureSnapshot(*asked.latest(now, revision, scope))
    return _newest_of(snapshot, whole, first) if snapshot.fault else snapshot


def latest_sites(
    now: datetime, key: str = "", revision: int = 0, watched: str = ALL_SITES
) -> SitesSnapshot:
    """Every site that the viewer may see at `now`, or the last known ones with the fault; as old as a picture.

    A site of others is like one that is not there. With a `key` that no known site has, the sites are read again: it may have been added just now.
    While the database cannot say so, no other site takes its place; nor does "none" when there was none.
    `watched`: the key of the site whose revision is given.
    """
    try:
        identity = viewer_of_run()
    except DatabaseUnavailable as error:
        return SitesSnapshot(None, str(error))
    scope = _scope(watched, identity)
    snapshot = _latest_sites(now, revision, scope)
    if key and snapshot.find(key) is None and not snapshot.fault:
        clear_sites()
        snapshot = _latest_sites(now, revision, scope)
    snapshot = _seen_of(snapshot, identity)
    is_known = snapshot.find(key) if key else snapshot.sites
    return snapshot if is_known or not snapshot.fault else SitesSnapshot(None, snapshot.fault)


def is_deleted(site: Site, now: datetime) -> bool:
    """Whether the site is known to be deleted: for what goes on to draw a site that it was given."""
    snapshot = latest_sites(now)
    return snapshot.sites is not None and not snapshot.fault and snapshot.find(site.key) is None


def clear_sites() -> None:
    """Have the sites read again, after one of them was changed."""
    _shared_sites(database_url()).clear()


def latest_removals(now: datetime) -> Sequence[Removal]:
    """The viewer's sites that are being deleted, as they were at most REMOVALS_SHARED_FOR before `now`.

    While the database does not answer, as they were when it last did.
    """
    try:
        identity = viewer_of_run()
        shared = _shared_removals(database_url())
    except DatabaseUnavailable:
        return ()
    found = shared.latest(now)[0] or ()
    return [removal for removal in found if identity.sees(removal.site.id)]


def clear_removals() -> None:
    """Have them read again, after a site was removed."""
    _shared_removals(database_url()).clear()


def _latest_sites(now: datetime, revision: int, scope: WatchedSites) -> SitesSnapshot:
    try:
        shared = _shared_sites(database_url())
    except DatabaseUnavailable as error:
        return SitesSnapshot(None, str(error))
    sites, _, fault = shared.latest(now, revision, scope)
    return SitesSnapshot(sites, fault)


def _scope(key: str, identity: Identity) -> WatchedSites:
    return identity.site_ids if key == ALL_SITES else key


def _seen_of(snapshot: SitesSnapshot, identity: Identity) -> SitesSnapshot:
    if snapshot.sites is None:
        return snapshot
    return replace(snapshot, sites=identity.seen_of(snapshot.sites))


def _newest_of(snapshot: PictureSnapshot, *read: Shared[Picture]) -> PictureSnapshot:
    """The snapshot with the newest picture that has every row, where that is newer than its own."""
    for each in read:
        last, shown = each.last, snapshot.picture
        if last and last.is_whole and (shown is None or shown.as_of < last.as_of):
            snapshot = replace(snapshot, picture=last)
    return snapshot


def _draw(
    db: Connection, key: str, site_ids: SiteIds, now: datetime, most_rows: int | None
) -> Picture | None:
    sites = [site for site in _sites_of(db, key) if site_ids is None or site.id in site_ids]
    return picture_at(db, sites, now, now, most_rows) if sites else None


def _sites_of(db: Connection, key: str) -> Sequence[Site]:
    if key == ALL_SITES:
        return [site for site in list_sites(db) if site.tracking_enabled]
    site = find_site(db, key)
    return [] if site is None else [site]


def _shared_picture(
    url: str, key: str, site_ids: SiteIds, most_rows: int | None
) -> Shared[Picture]:
    """One for each site, whoever looks at it, but of All sites one for each choice of them."""
    limit = site_ids if key == ALL_SITES else None
    return _pictures.setdefault(
        (url, key, limit, most_rows),
        Shared(
            lambda db, now: _draw(db, key, limit, now, most_rows),
            is_large=most_rows is None,
            from_replica=True,
        ),
    )


def _shared_sites(url: str) -> Shared[Sequence[Site]]:
    return _sites.setdefault(url, Shared(lambda db, _now: list_sites(db), from_replica=True))


def _shared_removals(url: str) -> Shared[Sequence[Removal]]:
    shared: Shared[Sequence[Removal]] = Shared(
        lambda db, _now: removals(db), REMOVALS_SHARED_FOR, from_replica=True
    )
    return _removals.setdefault(url, shared)


_pictures: dict[tuple[str, str, SiteIds, int | None], Shared[Picture]] = {}
"""By the database's address, the site's key, the sites that the viewers may see, and the most rows."""

_sites: dict[str, Shared[Sequence[Site]]] = {}
"""By the database's address."""

_removals: dict[str, Shared[Sequence[Removal]]] = {}
"""By the database's address."""
