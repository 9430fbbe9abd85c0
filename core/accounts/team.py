"""The team as an admin sees it: every account with its sessions and its link, and who has none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from core.accounts.accounts import Account, list_accounts
from core.accounts.links import invited_accounts
from core.accounts.sessions import Way, lasting_sessions
from core.agents import list_agents
from core.tables import Agent, Session


@dataclass(frozen=True)
class Member:
    """An account. sessions: the one used last first. link_until: when its link ends, None without one."""

    account: Account
    sessions: tuple[Session, ...] = ()
    link_until: datetime | None = None

    @property
    def ways(self) -> tuple[Way, ...]:
        """How they can sign in, as far as it is known: a proxy may send anybody."""
        agent = self.account.agent
        known = {Way.PASSWORD: bool(agent.password), Way.OIDC: bool(agent.subject)}
        used = {session.way for session in self.sessions}
        return tuple(way for way in Way if known.get(way) or way.value in used)

    @property
    def seen_at(self) -> datetime | None:
        """When a browser of theirs was last seen, None if none ever was."""
        agent = self.account.agent
        seen = [session.seen_at for session in self.sessions]
        if agent.seen_at > agent.created_at:
            seen.append(agent.seen_at)
        return max(seen, default=None)


@dataclass(frozen=True)
class Team:
    """The accounts, and the agents who are none, both in the order in which they came."""

    members: tuple[Member, ...]
    others: tuple[Agent, ...]

    def find(self, agent_id: int) -> Member | None:
        """The account of this agent, or None."""
        return next((each for each in self.members if each.account.id == agent_id), None)


def read_team(db: Connection, now: datetime) -> Team:
    """The team at `now`."""
    sessions = _by_agent(lasting_sessions(db, now))
    links = invited_accounts(db, now)
    members = tuple(
        Member(account, sessions[account.id], links.get(account.id))
        for account in list_accounts(db)
    )
    return Team(members, tuple(agent for agent in list_agents(db) if not agent.role))


def _by_agent(sessions: Sequence[Session]) -> defaultdict[int, tuple[Session, ...]]:
    grouped = defaultdict[int, tuple[Session, ...]](tuple)
    for session in sorted(sessions, key=lambda each: each.seen_at, reverse=True):
        grouped[session.agent_id] += (session,)
    return grouped
