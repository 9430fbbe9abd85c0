"""Sessions: the browsers that are signed in. The caller owns the transaction.

A browser has a token, the database only its hash: who reads the table can sign in as nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from core.enrich.text import clean
from core.random_id import digest
from core.tables import Session

ENDS_AFTER = timedelta(days=30)
"""A session ends so long after it began (own)."""

ENDS_UNUSED_AFTER = timedelta(days=7)
"""A session ends so long after its browser was last seen (own)."""

CLOCK_MAY_GO_BACK = timedelta(days=1)
"""A session from further ahead was begun by a clock that was wrong: it would last too long (own)."""

MOST_SESSIONS = 100
"""Of one account (own): a program that keeps no cookie begins another one each time."""

LONGEST_BROWSER = 80


class Way(StrEnum):
    """How a browser signed in: by a password, by OpenID Connect, by a trusted proxy's header."""

    PASSWORD = "password"
    OIDC = "oidc"
    PROXY = "proxy"


class NewSession(NamedTuple):
    """A session that was begun: `token` is for the browser, and known to nobody else."""

    id: str
    token: str


def session_id(token: str) -> str:
    """The id of the session whose browser has this token."""
    return digest(token)


def begin_session(
    db: Connection, agent_id: int, way: Way, browser: str, now: datetime
) -> NewSession:
    """A new session, never one that a browser has brought. Above MOST_SESSIONS the one unused longest ends."""
    token = secrets.token_urlsafe(32)
    id = session_id(token)
    row = {"id": id, "agent_id": agent_id, "way": way.value, "created_at": now, "seen_at": now}
    db.execute(insert(Session).values(**row, browser=clean(browser, LONGEST_BROWSER)))
    db.execute(delete(Session).where(_is_over(now)))
    of_account = col(Session.agent_id) == agent_id
    newest = select(col(Session.id)).where(of_account).order_by(col(Session.seen_at).desc())
    kept = newest.limit(MOST_SESSIONS)
    db.execute(delete(Session).where(of_account, col(Session.id).not_in(kept)))
    return NewSession(id, token)


def list_sessions(db: Connection, agent_id: int, now: datetime) -> list[Session]:
    """The account's sessions, the one used last first."""
    newest = col(Session.seen_at).desc()
    statement = select(Session).where(col(Session.agent_id) == agent_id, _lasts(now))
    rows = db.execute(statement.order_by(newest)).mappings()
    return [Session.of(row) for row in rows]


def lasting_sessions(db: Connection, now: datetime) -> list[Session]:
    """Every session that has not ended."""
    return [Session.of(row) for row in db.execute(select(Session).where(_lasts(now))).mappings()]


def mark_sessions_seen(db: Connection, ids: Sequence[str], now: datetime) -> None:
    """Record that these browsers use the dashboard at this moment."""
    db.execute(update(Session).where(col(Session.id).in_(ids)).values(seen_at=now))


def end_session(db: Connection, id: str) -> None:
    """Sign this browser out."""
    db.execute(delete(Session).where(col(Session.id) == id))


def end_sessions(db: Connection, agent_id: int, *, but: str = "") -> None:
    """Sign every browser of the account out, but the one with this session's id."""
    db.execute(delete(Session).where(col(Session.agent_id) == agent_id, col(Session.id) != but))


def _lasts(now: datetime) -> Any:
    """A clock that was set back by up to CLOCK_MAY_GO_BACK ends no session."""
    return ~_is_over(now) & (col(Session.created_at) <= now + CLOCK_MAY_GO_BACK)


def _is_over(now: datetime) -> Any:
    return (col(Session.created_at) <= now - ENDS_AFTER) | (
        col(Session.seen_at) <= now - ENDS_UNUSED_AFTER
    )
