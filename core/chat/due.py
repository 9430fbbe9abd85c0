"""Conversations that a chore is to change, under the locks of their sites."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select
from sqlmodel import col

from core.locks import TAKE_WITHIN, take_sites
from core.tables import Conversation


def take_due(db: Connection, due: Select[Any]) -> list[Conversation]:
    """The conversations that the statement finds, as they are once their sites are locked.

    Those of a site that somebody else writes for longer are left for the next time.
    """
    sites = {row["site_id"] for row in db.execute(due).mappings()}
    if not sites:
        return []
    taken = take_sites(db, sites, TAKE_WITHIN)
    of_taken = due.where(col(Conversation.site_id).in_(taken))
    return [Conversation.of(row) for row in db.execute(of_taken).mappings().all()]
