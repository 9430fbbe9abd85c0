"""What is shown with a conversation: the visitor, the newest message, the agent's name.

It is read for every message, so the statements are built once, as in core/chat/store.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, Connection, Row, String, bindparam, select

from core.tables import Conversation, Table
from core.visits.labels import UNKNOWN_VISITOR, visitor_label, visitor_name

AT_A_TIME = 500
"""Ids in one statement: SQLite takes 32,766 values, Postgres 65,535."""


def of_ids() -> BindParameter[str]:
    """The placeholder in a statement for the ids that `ids_by_site` yields."""
    return bindparam("of_ids", expanding=True, type_=String())


_agent, _conversation, _message, _site, _visit = (
    Table.metadata.tables[name] for name in ("agent", "conversation", "message", "site", "visit")
)
_find_sites = select(_site.c.id, _site.c.key, _site.c.name)
_find_names = select(_agent.c.id, _agent.c.name)
_find_visits = select(
    _visit.c.id,
    _visit.c.attributes,
    _visit.c.browser,
    _visit.c.country,
    _visit.c.current_path,
).where(_visit.c.site_id == bindparam("of_site"), _visit.c.id.in_(of_ids()))
_find_last_texts = (
    select(_message.c.conversation_id, _message.c.text)
    .join(
        _conversation,
        (_conversation.c.site_id == _message.c.site_id)
        & (_conversation.c.id == _message.c.conversation_id)
        & (_conversation.c.message_count == _message.c.number),
    )
    .where(_message.c.site_id == bindparam("of_site"), _message.c.conversation_id.in_(of_ids()))
)
"""The newest message has the number of all messages."""

FoundConversation = Conversation | Row[Any]
"""A conversation as a table row, or as `found_conversations` returns it."""


class _VisitFacts(NamedTuple):
    visitor: str
    path: str
    email: str


_DELETED = _VisitFacts(UNKNOWN_VISITOR, "", "")

RowKey = tuple[int, str]
"""The id of a conversation's or a visit's site, and its own."""


@dataclass(frozen=True)
class ConversationFacts:
    """visitor: who they are (`visitor_label`). path: the page shown last; "" when the visit is deleted.
    email: what the page says that it is, or "". last: the text of the newest message."""

    site_key: str
    site_name: str
    visitor: str
    path: str
    email: str
    agent_name: str
    last: str


def facts_of(
    db: Connection, conversations: Sequence[FoundConversation]
) -> Mapping[RowKey, ConversationFacts]:
    """The facts of each conversation by (site_id, id), in four statements for up to AT_A_TIME."""
    sites = {row.id: row for row in db.execute(_find_sites)}
    names = agent_names(db)
    visits = _visits(db, conversations)
    last = _last_texts(db, conversations)
    return {
        (each.site_id, each.id): ConversationFacts(
            site_key=sites[each.site_id].key,
            site_name=sites[each.site_id].name,
            **visits.get((each.site_id, each.visit_id), _DELETED)._asdict(),
            agent_name=names.get(each.agent_id, ""),
            last=last.get((each.site_id, each.id), ""),
        )
        for each in conversations
        if each.site_id in sites
    }


def agent_names(db: Connection) -> Mapping[int, str]:
    """Every agent's name by its id."""
    return {row.id: row.name for row in db.execute(_find_names)}


def _visits(
    db: Connection, conversations: Iterable[FoundConversation]
) -> Mapping[RowKey, _VisitFacts]:
    """Who the visitor is, the current path, and the e-mail, by (site_id, visit_id)."""
    found: dict[RowKey, _VisitFacts] = {}
    for site_id, ids in ids_by_site((each.site_id, each.visit_id) for each in conversations):
        rows = db.execute(_find_visits, {"of_site": site_id, "of_ids": ids})
        for visit_id, attributes, browser, country, path in rows:
            who = visitor_label(visitor_name(attributes), browser, country)
            found[site_id, visit_id] = _VisitFacts(who, path, attributes.get("email", ""))
    return found


def _last_texts(db: Connection, conversations: Iterable[FoundConversation]) -> Mapping[RowKey, str]:
    found: dict[RowKey, str] = {}
    for site_id, ids in ids_by_site((each.site_id, each.id) for each in conversations):
        rows = db.execute(_find_last_texts, {"of_site": site_id, "of_ids": ids})
        for conversation_id, text in rows:
            found[site_id, conversation_id] = text
    return found


def ids_by_site(keys: Iterable[RowKey]) -> Iterable[tuple[int, list[str]]]:
    """The ids of each site, at most AT_A_TIME at a time."""
    by_site: defaultdict[int, set[str]] = defaultdict(set)
    for site_id, name in keys:
        by_site[site_id].add(name)
    for site_id, ids in by_site.items():
        left = iter(sorted(ids))
        while part := list(islice(left, AT_A_TIME)):
            yield site_id, part
