"""Who was removed, so that a service that still knows them does not bring them back by itself.

The agent keeps no address, only hashes of what they were known by.
"""

from __future__ import annotations

from sqlalchemy import Connection, select
from sqlmodel import col

from core.random_id import digest
from core.tables import Agent

_REMOVED = "removed"


def removal_mark(agent: Agent) -> str:
    """What stands as the subject of an agent whose account is removed."""
    return f"{_REMOVED} {_hash(agent.email)} {_hash(agent.subject)}"


def is_removed(db: Connection, email: str, subject: str) -> bool:
    """Whether an account with this address, or with this subject, was removed."""
    marked = (col(Agent.role) == "", col(Agent.subject).startswith(f"{_REMOVED} "))
    marks = db.execute(select(col(Agent.subject)).where(*marked)).scalars()
    known = {mark for text in marks for mark in text.split()[1:]}
    return not known.isdisjoint(_hash(each) for each in (email, subject) if each)


def _hash(text: str) -> str:
    return digest(text) if text else ""
