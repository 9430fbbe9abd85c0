"""What is shown beside a conversation: the visitor, the newest message, the agent's name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlmodel import col

from core.labels import visitor_name
from core.tables import Agent, Conversation, Message, Site, Visit

AT_A_TIME = 500
"""Ids in one statement: SQLite takes 32,766 values, Postgres 65,535."""

SHORT_ID = 6

Found = Conversation | Row[Any]
"""A conversation as a table row, or as `found_conversations` gives it."""

Key = tuple[int, str]
"""The id of a conversation's or a visit's site, and its own."""


@dataclass(frozen=True)
class ConversationFacts:
    """visitor: a name, or "Visitor" and the beginning of the visit's id. path: the page shown last;
    "" when the visit is deleted. last: the text of the newest message."""

    site_key: str
    site_name: str
    visitor: str
    path: str
    agent_name: str
    last: str


def facts_of(db: Connection, conversations: Sequence[Found]) -> Mapping[Key, ConversationFacts]:
    """The facts of each conversation by (site_id, id), in four statements for up to AT_A_TIME."""
    sites = {row.id: row for row in db.execute(select(col(Site.id), col(Site.key), col(Site.name)))}
    names = agent_names(db)
    visits = _visits(db, conversations)
    last = _last_texts(db, conversations)
    return {
        (each.site_id, each.id): ConversationFacts(
            site_key=sites[each.site_id].key,
            site_name=sites[each.site_id].name,
            visitor=visits.get((each.site_id, each.visit_id), ("", ""))[0]
            or f"Visitor {each.visit_id[:SHORT_ID]}",
            path=visits.get((each.site_id, each.visit_id), ("", ""))[1],
            agent_name=names.get(each.agent_id, ""),
            last=last.get((each.site_id, each.id), ""),
        )
        for each in conversations
        if each.site_id in sites
    }


def agent_names(db: Connection) -> Mapping[int, str]:
    """Every agent's name by its id."""
    return {row.id: row.name for row in db.execute(select(col(Agent.id), col(Agent.name)))}


def _visits(db: Connection, conversations: Iterable[Found]) -> Mapping[Key, tuple[str, str]]:
    """The visitor's name and the current path by (site_id, visit_id)."""
    found: dict[Key, tuple[str, str]] = {}
    for site_id, ids in ids_by_site((each.site_id, each.visit_id) for each in conversations):
        statement = select(col(Visit.id), col(Visit.attributes), col(Visit.current_path)).where(
            col(Visit.site_id) == site_id, col(Visit.id).in_(ids)
        )
        for visit_id, attributes, path in db.execute(statement):
            found[site_id, visit_id] = visitor_name(attributes), path
    return found


def _last_texts(db: Connection, conversations: Iterable[Found]) -> Mapping[Key, str]:
    """The newest message has the number of all messages."""
    found: dict[Key, str] = {}
    for site_id, ids in ids_by_site((each.site_id, each.id) for each in conversations):
        statement = (
            select(col(Message.conversation_id), col(Message.text))
            .join(
                Conversation,
                (col(Conversation.site_id) == col(Message.site_id))
                & (col(Conversation.id) == col(Message.conversation_id))
                & (col(Conversation.message_count) == col(Message.number)),
            )
            .where(col(Message.site_id) == site_id, col(Message.conversation_id).in_(ids))
        )
        for conversation_id, text in db.execute(statement):
            found[site_id, conversation_id] = text
    return found


def ids_by_site(keys: Iterable[Key]) -> Iterable[tuple[int, list[str]]]:
    """The ids of each site, at most AT_A_TIME at a time."""
    by_site: defaultdict[int, set[str]] = defaultdict(set)
    for site_id, name in keys:
        by_site[site_id].add(name)
    for site_id, ids in by_site.items():
        left = iter(sorted(ids))
        while part := list(islice(left, AT_A_TIME)):
            yield site_id, part
