"""What an agent hears of in the browser, and when not."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select
from sqlmodel import col

from core.chat.rules import MINUTES_A_DAY
from core.database import insert_into
from core.notices.kinds import NoticeError, check_kinds, check_minutes
from core.tables import AgentNotices


def notices_of_agent(db: Connection, agent_id: int) -> AgentNotices:
    """What the agent has chosen; nothing, when they have never chosen."""
    statement = select(AgentNotices).where(col(AgentNotices.agent_id) == agent_id)
    row = db.execute(statement).mappings().one_or_none()
    return AgentNotices(agent_id=agent_id) if row is None else AgentNotices.of(row)


def choose_notices(
    db: Connection,
    agent_id: int,
    *,
    kinds: Iterable[str],
    minutes: int,
    quiet_from: int,
    quiet_until: int,
    time_zone: str,
) -> None:
    """Store what the agent chooses. Raises NoticeError."""
    if not all(0 <= minute < MINUTES_A_DAY for minute in (quiet_from, quiet_until)):
        raise NoticeError("The quiet hours cannot be used: choose times of a day.")
    values = {
        "kinds": check_kinds(kinds),
        "minutes": check_minutes(minutes),
        "quiet_from": quiet_from,
        "quiet_until": quiet_until,
        "time_zone": time_zone,
    }
    insert = insert_into(db, AgentNotices).values(agent_id=agent_id, **values)
    db.execute(insert.on_conflict_do_update(index_elements=["agent_id"], set_=values))
