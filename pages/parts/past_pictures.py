"""What was to be seen at a past moment, and where else to go: read off the live path, kept for a short while."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from core.accounts.identity import Role
from core.database import Connection
from core.deadline import DatabaseUnavailable, database_url
from core.frames import Picture, picture_at
from core.moment import utc_now
from core.settings import settings
from core.sites import list_sites
from core.tables import Site
from core.visits.past_moments import known_since, next_event_after, previous_event_before
from pages.parts.past_moment import next_second
from pages.parts.site_choice import ALL_SITES
from pages.parts.snapshots import FIRST_ROWS, PictureSnapshot
from pages.parts.viewer import read_as, viewer_of_run
from pages.server.recent_answers import RecentAnswers
from pages.server.shared import Shared

PICTURE_KEPT_FOR = timedelta(seconds=30)
"""How old a picture of the past may be: what arrives late, and who is forgotten, changes it."""

KNOWN_KEPT_FOR = timedelta(minutes=1)

MOST_KEPT, MOST_WHOLE = 40, 4
"""The answers that are kept, of all viewers: those with the first rows of a picture, and those with every row."""

_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)


def past_picture(
    site: Site, sites: Sequence[Site], moment: datetime, *, every_row: bool
) -> PictureSnapshot:
    """The picture of the site, or of each one that All sites stands for, at the moment; fault: why there is none, or an
    older answer. Without both the site is deleted, or not the viewer's."""
    most_rows = None if every_row else FIRST_ROWS
    try:
        ids = _seen(sites)
    except DatabaseUnavailable as error:
        return PictureSnapshot(None, fault=str(error))

    def draw(db: Connection, now: datetime) -> Picture | None:
        known = _known(db, ids)
        return picture_at(db, known, moment, now, most_rows) if known else None

    kept = _whole_pictures if every_row else _pictures
    make = partial(Shared[Picture], draw, PICTURE_KEPT_FOR, is_large=every_row, from_replica=True)
    shared = kept.find((database_url(), site.key, ids, moment), make)
    return PictureSnapshot(*shared.latest(utc_now()))


def past_known_since(sites: Sequence[Site]) -> datetime | None:
    """From when on the past of the sites is complete; None while nothing is stored of them, or it cannot be read."""
    try:
        ids = _seen(sites)
    except DatabaseUnavailable:
        return None

    def find(db: Connection, now: datetime) -> datetime | None:
        return known_since(db, sorted(ids), timedelta(days=settings().retention_days), now)

    make = partial(Shared[datetime], find, KNOWN_KEPT_FOR, from_replica=True)
    return _known_since.find((database_url(), ids), make).latest(utc_now())[0]


def event_after(site: Site, sites: Sequence[Site], moment: datetime) -> datetime | None:
    """The first whole second after the moment that shows another visit or chat; None without one.

    Raises as `read_as`.
    """
    ids, now = sorted(_seen(sites)), utc_now()
    found = _read(site, lambda db: next_event_after(db, ids, moment, now))
    return found and next_second(found)


def event_before(site: Site, sites: Sequence[Site], moment: datetime) -> datetime | None:
    """The last whole second before the moment at which a visit or chat had just begun; None without one.

    Raises as `read_as`.
    """
    # What began within the last second is what the moment shows already.
    before = moment - _SECOND + _MILLISECOND
    ids = sorted(_seen(sites))
    found = _read(site, lambda db: previous_event_before(db, ids, before))
    return found and next_second(found)


def clear_past() -> None:
    """Have everything read again."""
    for kept in (_pictures, _whole_pictures, _known_since):
        kept.clear()


def _read(site: Site, question: Callable[[Connection], datetime | None]) -> datetime | None:
    return read_as(Role.VIEWER, question, None if site.key == ALL_SITES else site)


def _seen(sites: Sequence[Site]) -> frozenset[int]:
    """Of the sites that the viewer may see, the ids. Raises DatabaseUnavailable while that is not known."""
    return frozenset(cast(int, site.id) for site in viewer_of_run().seen_of(sites))


def _known(db: Connection, ids: frozenset[int]) -> Sequence[Site]:
    return [site for site in list_sites(db) if site.id in ids]


_pictures = RecentAnswers[Picture](MOST_KEPT)
_whole_pictures = RecentAnswers[Picture](MOST_WHOLE)
_known_since = RecentAnswers[datetime](MOST_KEPT)
"""By the database's address and the sites; pictures also by whose they are, and by the moment."""
