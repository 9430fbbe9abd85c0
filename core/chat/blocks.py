"""Visitors who begin no chat any more: a visit, and where visitors are remembered, the visitor."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlmodel import col

from core.chat.closing import cut_short, lock_conversation
from core.chat.conversation_facts import facts_of, ids_by_site
from core.chat.states import OPEN_STATES, ClosedBy
from core.chat.store import change
from core.chat.visit_chat import find_visit_state
from core.locks import lock_site
from core.random_id import random_id
from core.reasons import Reason, Refused
from core.tables import ChatBlock, Conversation, Visit
from core.visits.liveness import visit_goes_on

MOST_BLOCKS = 500
"""Blocks of one site: collectors keep them in memory."""

_IS_REMEMBERED = text("visit.visitor_id <> ''")
"""The condition of the partial index, word for word."""


class Blocked(NamedTuple):
    """Who is blocked, as (site id, id of the visit or the visitor)."""

    visits: frozenset[tuple[int, str]] = frozenset()
    visitors: frozenset[tuple[int, str]] = frozenset()

    def has(self, site_id: int, visit_id: str, visitor_id: str) -> bool:
        """Whether the visit or its visitor is blocked; visitor_id: "" where it is not known."""
        return (site_id, visit_id) in self.visits or (site_id, visitor_id) in self.visitors


def block(
    db: Connection, conversation: Conversation, agent_id: int, now: datetime
) -> Conversation | Refused:
    """The conversation, over, and its visitor blocked, of which whoever follows the chats hears. Blocking twice changes nothing."""
    found = lock_conversation(db, conversation, now)
    if found is None:
        return Refused(Reason.NO_CONVERSATION)
    visit = find_visit_state(db, found.site_id, found.visit_id)
    if visit is None:
        return Refused(Reason.NO_VISIT)
    is_new = not is_blocked(db, found.site_id, found.visit_id, visit.visitor_id)
    if is_new:
        if _count(db, found.site_id) >= MOST_BLOCKS:
            return Refused(Reason.TOO_MANY_BLOCKS)
        blocked = ChatBlock(
            site_id=found.site_id,
            id=random_id(),
            visit_id=found.visit_id,
            visitor_id=visit.visitor_id,
            visitor=facts_of(db, [found])[found.site_id, found.id].visitor,
            agent_id=agent_id,
            blocked_at=now,
        )
        db.execute(insert(ChatBlock).values(**blocked.model_dump()))
    if found.state in OPEN_STATES:
        return cut_short(db, found, ClosedBy.AGENT, now)
    return change(db, found, now) if is_new else found


def is_blocked(db: Connection, site_id: int, visit_id: str, visitor_id: str) -> bool:
    """Whether the visit, or its visitor where they are remembered, begins no chat."""
    of_site = select(col(ChatBlock.id)).where(col(ChatBlock.site_id) == site_id)
    which = [of_site.where(col(ChatBlock.visit_id) == visit_id)]
    if visitor_id:
        which.append(of_site.where(col(ChatBlock.visitor_id) == visitor_id))
    return any(db.execute(each.limit(1)).first() is not None for each in which)


def has_blocked_visitor(db: Connection, conversation: Conversation) -> bool:
    """Whether the conversation's visitor begins no chat."""
    visit = find_visit_state(db, conversation.site_id, conversation.visit_id)
    visitor_id = visit.visitor_id if visit is not None else ""
    return is_blocked(db, conversation.site_id, conversation.visit_id, visitor_id)


def all_blocked(db: Connection, now: datetime) -> Blocked:
    """Who is blocked on any site, with the visits of blocked visitors that go on."""
    rows = db.execute(
        select(col(ChatBlock.site_id), col(ChatBlock.visit_id), col(ChatBlock.visitor_id))
    ).all()
    visitors = frozenset((row[0], row[2]) for row in rows if row[2])
    if not rows:
        return Blocked()
    visits = {(row[0], row[1]) for row in rows}
    for site_id, ids in ids_by_site(visitors):
        later = select(col(Visit.id)).where(
            col(Visit.site_id) == site_id,
            col(Visit.visitor_id).in_(ids),
            _IS_REMEMBERED,
            visit_goes_on(col(Visit.last_activity_at), now),
        )
        visits |= {(site_id, visit_id) for visit_id in db.execute(later).scalars()}
    return Blocked(frozenset(visits), visitors)


def list_blocks(db: Connection, site_id: int) -> list[ChatBlock]:
    """The site's blocks, the newest first."""
    statement = (
        select(ChatBlock)
        .where(col(ChatBlock.site_id) == site_id)
        .order_by(col(ChatBlock.blocked_at).desc(), col(ChatBlock.id))
    )
    return [ChatBlock.of(row) for row in db.execute(statement).mappings()]


def lift_block(db: Connection, site_id: int, block_id: str) -> None:
    """Let the visitor begin chats again; nothing where the block is gone already."""
    lock_site(db, site_id)
    of_block = (col(ChatBlock.site_id) == site_id, col(ChatBlock.id) == block_id)
    db.execute(delete(ChatBlock).where(*of_block))


def _count(db: Connection, site_id: int) -> int:
    counted = select(func.count()).select_from(ChatBlock).where(col(ChatBlock.site_id) == site_id)
    return db.execute(counted).scalar_one()
