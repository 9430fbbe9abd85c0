"""Open chats whose agent has gone: they are anybody's again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, and_, func, select
from sqlmodel import col

from core.agents import agents_here
from core.chat.due import take_due
from core.chat.states import ConversationState
from core.chat.store import change
from core.tables import Agent, Conversation

UNHEARD_FOR = 45.0
"""Seconds in which an agent who has the dashboard open gives a new sign at the latest: 35, and some more (own)."""

LONGEST_LOOK = 10.0
"""Seconds that the time between two looks counts for at most: while the database was away, no sign could come."""

VACATED_AT_ONCE = 200
"""Conversations that one transaction vacates, so that beacons never wait long for it."""

Signs = Mapping[int, datetime | None]
"""When each agent gave the newest sign; None: who is deleted."""


class UnheardAgents:
    """For how long one process has seen no new sign of an agent, by a clock that does not jump.

    When the clock jumps or the database comes back, `seen_at` is old of everybody. Whoever is there gives a
    new sign soon.
    """

    def __init__(self) -> None:
        self._signs: Signs = {}
        self._unheard: dict[int, float] = {}
        self._looked_at = 0.0

    def look(self, signs: Signs, at: float) -> frozenset[int]:
        """Those who have given no new sign for UNHEARD_FOR; `at`: seconds of a clock that does not jump."""
        passed = min(max(at - self._looked_at, 0.0), LONGEST_LOOK)
        self._unheard = {
            id: self._unheard.get(id, 0.0) + passed
            for id, sign in signs.items()
            if id in self._signs and self._signs[id] == sign
        }
        self._signs, self._looked_at = dict(signs), at
        return frozenset(id for id, length in self._unheard.items() if length >= UNHEARD_FOR)


def vacate_due(db: Connection, now: datetime, unheard: UnheardAgents, at: float) -> int:
    """Give back the open chats whose agent has gone, so that anybody may answer; returns how many.

    Gone is who gave no sign for AGENT_AWAY_AFTER by the clock, nor for UNHEARD_FOR while this process looked.
    """
    silent = unheard.look(_signs(db), at)
    gone = silent - {agent.id for agent in agents_here(db, now)} if silent else silent
    vacated = _conversations_of(db, gone) if gone else []
    for conversation in vacated:
        change(
            db,
            conversation,
            now,
            agent_id=0,
            vacated_at=now,
            given_at=None,
            agent_typing_at=None,
        )
    return len(vacated)


_HAS_AGENT = and_(
    col(Conversation.state) == ConversationState.OPEN.value, col(Conversation.agent_id) != 0
)


def _signs(db: Connection) -> Signs:
    """Of the agents who have an open chat."""
    statement = (
        select(col(Conversation.agent_id), func.max(col(Agent.seen_at)))
        .outerjoin(Agent, col(Agent.id) == col(Conversation.agent_id))
        .where(_HAS_AGENT)
        .group_by(col(Conversation.agent_id))
    )
    return {row[0]: row[1] for row in db.execute(statement)}


def _conversations_of(db: Connection, agent_ids: Collection[int]) -> list[Conversation]:
    of_agents = col(Conversation.agent_id).in_(agent_ids)
    return take_due(db, select(Conversation).where(_HAS_AGENT, of_agents).limit(VACATED_AT_ONCE))
