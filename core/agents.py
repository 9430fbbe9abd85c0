"""The agents: people who use the dashboard, by the secret of their browser."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update
from sqlmodel import col

from core.enrich.text import clean
from core.moment import lasts_for
from core.random_id import digest, random_id
from core.tables import Agent, AgentSite
from core.visits.liveness import is_plausible

AGENT_AWAY_AFTER = timedelta(seconds=60)
"""An agent whose dashboard gave no sign for this long has gone (own; it gives one every 20 s)."""

LONGEST_NAME = 40
_SECRET_LENGTH = 40
_MAY_NOT_CHAT = "viewer"
_table = Agent.metadata.tables["agent"]
_find_by_key = select(_table).where(_table.c.key == bindparam("of_key"))


class AgentError(ValueError):
    """An agent's value that cannot be used; the text names the value and the cure."""


def new_secret() -> str:
    """What makes a browser an agent's: 40 letters and digits, for its cookie. Only its hash is stored."""
    return random_id(_SECRET_LENGTH)


def add_agent(db: Connection, name: str, now: datetime, secret: str | None = None) -> Agent:
    """The new agent, available. Raises AgentError when the name is empty.

    secret: that of their browser; without one no browser is theirs, as an account needs none.
    """
    secret = secret or new_secret()
    statement = insert(Agent).values(
        key=digest(secret),
        name=check_agent_name(name),
        is_available=True,
        seen_at=now,
        created_at=now,
    )
    db.execute(statement)
    return _found(find_agent(db, secret))


def find_agent(db: Connection, secret: str) -> Agent | None:
    """The agent whose browser has this secret, or None."""
    row = db.execute(_find_by_key, {"of_key": digest(secret)}).mappings().one_or_none()
    return None if row is None else Agent.of(row)


def list_agents(db: Connection) -> list[Agent]:
    """Every agent, in the order in which they came."""
    return _agents(db)


def available_agents(db: Connection, now: datetime, site_id: int) -> list[Agent]:
    """The agents who may chat with the site's visitors, are available and have the dashboard open."""
    return _agents(db, _is_available(now), _sees(site_id))


def agents_here(db: Connection, now: datetime) -> list[Agent]:
    """The agents who may chat and have the dashboard open, available or not."""
    return _agents(db, col(Agent.role) != _MAY_NOT_CHAT, _is_here(now))


def attended_sites(db: Connection, now: datetime) -> frozenset[int] | None:
    """The ids of the sites whose visitors find an available agent; None: every one does."""
    return _sites_of(db, _agents(db, _is_available(now)))


def watched_sites(db: Connection, now: datetime) -> frozenset[int] | None:
    """The ids of the sites that somebody looks at who has the dashboard open; None: every one."""
    return _sites_of(db, _agents(db, _is_here(now)))


def agents_of_site(db: Connection, now: datetime, site_id: int) -> list[Agent]:
    """The agents who may chat with the site's visitors and have the dashboard open, available ones first."""
    here = _agents(db, col(Agent.role) != _MAY_NOT_CHAT, _is_here(now), _sees(site_id))
    return sorted(here, key=lambda agent: not agent.is_available)


def change_agent(
    db: Connection, agent_id: int, *, name: str | None = None, is_available: bool | None = None
) -> Agent:
    """The agent as they are now. Raises AgentError for an empty name or an unknown agent."""
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = check_agent_name(name)
    if is_available is not None:
        values["is_available"] = is_available
    if values:
        db.execute(update(Agent).where(col(Agent.id) == agent_id).values(**values))
    return _found(next(iter(_agents(db, col(Agent.id) == agent_id)), None))


def mark_seen(db: Connection, agent_id: int, now: datetime) -> None:
    """Record that the agent's dashboard is open at this moment."""
    db.execute(update(Agent).where(col(Agent.id) == agent_id).values(seen_at=now))


def check_agent_name(name: str) -> str:
    """The name on one line, at most LONGEST_NAME characters. Raises AgentError when empty."""
    name = clean(name, LONGEST_NAME)
    if not name:
        raise AgentError("There is no name: write the one that visitors shall see, such as Ann.")
    return name


def _agents(db: Connection, *conditions: Any) -> list[Agent]:
    statement = select(Agent).where(*conditions).order_by(col(Agent.id))
    return [Agent.of(row) for row in db.execute(statement).mappings()]


def _sites_of(db: Connection, agents: list[Agent]) -> frozenset[int] | None:
    """The ids of the sites that these agents see; None: one of them sees all."""
    if not all(agent.is_limited for agent in agents):
        return None
    ids = [agent.id for agent in agents]
    statement = select(col(AgentSite.site_id)).where(col(AgentSite.agent_id).in_(ids))
    return frozenset(db.execute(statement).scalars())


def _is_available(now: datetime) -> Any:
    return and_(col(Agent.is_available), col(Agent.role) != _MAY_NOT_CHAT, _is_here(now))


def _is_here(now: datetime) -> Any:
    """The dashboard was open within AGENT_AWAY_AFTER, by a clock that can be right."""
    seen_at = col(Agent.seen_at)
    return and_(lasts_for(AGENT_AWAY_AFTER, seen_at, now), is_plausible(seen_at, now))


def _sees(site_id: int) -> Any:
    own = select(col(AgentSite.agent_id)).where(col(AgentSite.site_id) == site_id)
    return or_(~col(Agent.is_limited), col(Agent.id).in_(own))


def _found(agent: Agent | None) -> Agent:
    if agent is None:
        raise AgentError("This agent is not known here: write a name to begin anew.")
    return agent
