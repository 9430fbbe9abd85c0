"""The agent who calls a route: the account that is signed in; where nobody has to sign in, the one of the
browser's cookie, which counts for nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from core.accounts.identity import Identity
from core.agents import find_agent
from core.database import Connection
from pages.server.access import COOKIE, identity_of


@dataclass(frozen=True)
class Caller:
    """Who calls. secret: that of the cookie, "" without one."""

    identity: Identity
    secret: str

    def agent_id(self, db: Connection) -> int | None:
        """The agent's id, or None for a browser without an agent."""
        if self.identity.is_signed_in:
            return self.identity.agent_id
        agent = find_agent(db, self.secret) if self.secret else None
        return None if agent is None else agent.id


def caller_of(request: Request) -> Caller:
    """Who sends the request."""
    return Caller(identity_of(request), request.cookies.get(COOKIE, ""))
