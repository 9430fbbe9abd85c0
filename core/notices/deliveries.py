"""Notices on their way to an address: taken by one sender at a time, tried again after growing pauses.

Who takes one puts it off by TAKEN_FOR before sending, and deletes it after. So it is sent at least once, and a second
time only when the sender was killed between the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, delete, func, or_, select, tuple_, update
from sqlmodel import col

from core.chat.store import find_conversation
from core.notices.addresses import note_attempt
from core.notices.kinds import NoticeKind
from core.sites import is_removed
from core.tables import Notice, NoticeAddress, NoticeDelivery

TAKEN_FOR = timedelta(minutes=2)
"""Longer than sending takes: after that the sender has ended, and another one may send."""

PAUSES = tuple(
    timedelta(seconds=seconds) for seconds in (10, 30, 2 * 60, 10 * 60, 30 * 60, 60 * 60)
)
"""After the first failed attempt, the second ...; the last one again and again."""

GIVEN_UP_AFTER = timedelta(days=1)
"""What could not be told for so long helps nobody any more."""

TAKEN_AT_ONCE = 100
"""Deliveries of an address that are read at once: what is more is one summary anyway."""


class Due(NamedTuple):
    """What is due to one address, the oldest first."""

    address: NoticeAddress
    notices: Sequence[Notice]


def due_deliveries(db: Connection, now: datetime) -> list[Due]:
    """What is due, by address: along an index that has nothing else."""
    of_address: list[Any] = [col(NoticeDelivery.site_id), col(NoticeDelivery.address_id)]
    keys = db.execute(select(*of_address).where(*_are_due(now)).distinct()).all()
    found = [_due_of(db, key[0], key[1], now) for key in keys]
    return [due for due in found if due]


def take(db: Connection, due: Due, now: datetime) -> Due:
    """What of it is the caller's to send now: until TAKEN_FOR is over nobody else takes that."""
    taken = (
        update(NoticeDelivery)
        .where(*_are(due), *_are_due(now))
        .values(due_at=now + TAKEN_FOR, attempts=col(NoticeDelivery.attempts) + 1)
        .returning(col(NoticeDelivery.notice_id))
    )
    mine = set(db.execute(taken).scalars())
    return Due(due.address, [notice for notice in due.notices if notice.id in mine])


def drop_answered(db: Connection, due: Due) -> Due:
    """What is still worth telling: of chats that wait no more, because they were answered or are over, nothing goes."""
    answered = [notice for notice in due.notices if not _holds(db, notice)]
    if answered:
        db.execute(delete(NoticeDelivery).where(*_are(Due(due.address, answered))))
    return Due(due.address, [notice for notice in due.notices if notice not in answered])


def _holds(db: Connection, notice: Notice) -> bool:
    if notice.kind != NoticeKind.CHAT_WAITS:
        return True
    chat = find_conversation(db, notice.site_id, notice.conversation_id)
    since = chat.waiting_since if chat else None
    return since is not None and since <= notice.happened_at


def note_sent(db: Connection, due: Due, now: datetime) -> None:
    """It has arrived."""
    db.execute(delete(NoticeDelivery).where(*_are(due)))
    note_attempt(db, due.address.site_id, due.address.id, "", now)


def note_failed(db: Connection, due: Due, fault: str, now: datetime) -> int:
    """It has not, for this reason: all that waits for the address waits for a pause; how many were given up."""
    site_id, address_id = due.address.site_id, due.address.id
    mine = (
        col(NoticeDelivery.site_id) == site_id,
        col(NoticeDelivery.address_id) == address_id,
        ~col(NoticeDelivery.is_given_up),
    )
    attempts = db.execute(
        select(func.max(col(NoticeDelivery.attempts))).where(*_are(due))
    ).scalar_one()
    again_at = now + pause_after(attempts or 1)
    db.execute(update(NoticeDelivery).where(*mine).values(due_at=again_at))
    old = select(col(Notice.id)).where(
        col(Notice.site_id) == site_id, col(Notice.happened_at) <= now - GIVEN_UP_AFTER
    )
    given_up = update(NoticeDelivery).where(*mine, col(NoticeDelivery.notice_id).in_(old))
    note_attempt(db, site_id, address_id, fault, now)
    return db.execute(given_up.values(is_given_up=True)).rowcount


def pause_after(attempts: int) -> timedelta:
    """Until the next attempt after so many failed ones."""
    return PAUSES[min(attempts, len(PAUSES)) - 1]


def count_given_up(db: Connection) -> dict[int, int]:
    """How many notices of the last days were not told, by the id of the site."""
    site_id = col(NoticeDelivery.site_id)
    counted = select(site_id, func.count()).where(col(NoticeDelivery.is_given_up))
    rows = db.execute(counted.where(~is_removed(site_id)).group_by(site_id))
    return {row[0]: row[1] for row in rows}


def _are_due(now: datetime) -> tuple[Any, ...]:
    """What waits for longer than the longest pause was put off before the clock was set back."""
    due_at = col(NoticeDelivery.due_at)
    return ~col(NoticeDelivery.is_given_up), or_(due_at <= now, due_at > now + PAUSES[-1])


def _due_of(db: Connection, site_id: int, address_id: str, now: datetime) -> Due | None:
    address = select(NoticeAddress).where(
        col(NoticeAddress.site_id) == site_id,
        col(NoticeAddress.id) == address_id,
        col(NoticeAddress.is_enabled),
        ~is_removed(col(NoticeAddress.site_id)),
    )
    row = db.execute(address).mappings().one_or_none()
    is_its_notice = and_(
        col(Notice.site_id) == col(NoticeDelivery.site_id),
        col(Notice.id) == col(NoticeDelivery.notice_id),
    )
    notices = (
        select(Notice)
        .join(NoticeDelivery, is_its_notice)
        .where(
            col(NoticeDelivery.site_id) == site_id,
            col(NoticeDelivery.address_id) == address_id,
            *_are_due(now),
        )
        .order_by(col(Notice.revision))
        .limit(TAKEN_AT_ONCE)
    )
    found = [Notice.of(each) for each in db.execute(notices).mappings()]
    return Due(NoticeAddress.of(row), found) if row and found else None


def _are(due: Due) -> tuple[Any, ...]:
    keys = [(due.address.site_id, notice.id, due.address.id) for notice in due.notices]
    key = tuple_(
        col(NoticeDelivery.site_id), col(NoticeDelivery.notice_id), col(NoticeDelivery.address_id)
    )
    return (key.in_(keys),)
