"""Notices as they are stored: each event once, with its deliveries; old ones go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select
from sqlmodel import col

from core.chat.store import CHANNEL
from core.database import insert_into
from core.locks import TAKE_WITHIN, take_sites
from core.moment import to_milliseconds
from core.notices.events import NoticeEvent
from core.notices.wishes import Wish, Wishes, wishes_of
from core.postgres import notify
from core.sites import list_sites
from core.tables import Notice, NoticeAddress, NoticeDelivery

KEPT_FOR = timedelta(days=7)
"""For so long an event is known to be told: longer than any that is found again (own)."""


def store_events(
    db: Connection, events: Sequence[NoticeEvent], wishes: Wishes, now: datetime
) -> int:
    """Store the events that are new, each with a delivery to every address that wants it; returns how many.

    What happened before an address was added does not go there. Those of a site that somebody else writes for
    longer are left for the next time.
    """
    taken = take_sites(db, {event.site_id for event in events}, TAKE_WITHIN)
    new = [event for event in events if event.site_id in taken and _store(db, event, now)]
    deliveries = [
        {
            "site_id": event.site_id,
            "notice_id": event.id,
            "address_id": address.id,
            "due_at": now,
            "attempts": 0,
            "is_given_up": False,
        }
        for event in new
        for address in wishes.addresses
        if _is_for(address, event)
    ]
    if deliveries:
        db.execute(insert(NoticeDelivery), deliveries)
    if new:
        notify(db, CHANNEL)
    return len(new)


def forget_notices(db: Connection, now: datetime, at_once: int) -> int:
    """Delete notices that are older than KEPT_FOR, and what could not be delivered of them; returns how many.

    At most `at_once` of a site. Those of a site that somebody else writes for longer are left for the next time.
    """
    sites = [site.id for site in list_sites(db) if site.id]
    most = 0
    for site_id in sorted(take_sites(db, sites, TAKE_WITHIN)):
        is_old = (col(Notice.site_id) == site_id, col(Notice.happened_at) < now - KEPT_FOR)
        ids = db.execute(select(col(Notice.id)).where(*is_old).limit(at_once)).scalars().all()
        _delete(db, site_id, ids)
        most = max(most, len(ids))
    return most


def forget_notices_of(db: Connection, site_id: int, visit_ids: Iterable[str]) -> None:
    """Delete what was told of these visits, also what is on its way."""
    of_visits = select(col(Notice.id)).where(
        col(Notice.site_id) == site_id, col(Notice.visit_id).in_(list(visit_ids))
    )
    _delete(db, site_id, db.execute(of_visits).scalars().all())


def _delete(db: Connection, site_id: int, ids: Sequence[str]) -> None:
    """Delete the notices with their deliveries."""
    for table, id in ((NoticeDelivery, NoticeDelivery.notice_id), (Notice, Notice.id)):
        if ids:
            db.execute(delete(table).where(col(table.site_id) == site_id, col(id).in_(ids)))


def _store(db: Connection, event: NoticeEvent, now: datetime) -> bool:
    """Whether it is new."""
    newest = select(func.max(col(Notice.revision))).where(col(Notice.site_id) == event.site_id)
    revision = max(to_milliseconds(now), (db.execute(newest).scalar_one() or 0) + 1)
    values = {**event._asdict(), "kind": event.kind.value, "revision": revision}
    insert_new = insert_into(db, Notice).values(**values)
    kept = insert_new.on_conflict_do_nothing(index_elements=["site_id", "id"])
    return db.execute(kept.returning(col(Notice.id))).first() is not None


def _is_for(address: NoticeAddress, event: NoticeEvent) -> bool:
    is_wanted = Wish(event.kind, event.minutes) in wishes_of(address.kinds, address.minutes)
    is_its_own = address.site_id == event.site_id
    return is_its_own and is_wanted and address.created_at <= event.happened_at
