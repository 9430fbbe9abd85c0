"""What is stored of a visitor: which visits are theirs, everything about them, and its deletion.

A visitor is known by a browser: the visits that have the same `visitor_id`, and those that follow one
another. Where a browser keeps nothing, people behind one address may be one visit: they are found together.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Text, func, select, text, type_coerce, update
from sqlmodel import col

from core.backups import list_backups
from core.chat.retention import withdraw_conversations
from core.enrich.text import LONGEST_ATTRIBUTE, LONGEST_ATTRIBUTE_NAME, clean
from core.file_rewrite import ask_for_rewrite
from core.locks import lock_site
from core.moment import iso_of, to_milliseconds
from core.removal import delete_visits
from core.rollups.site_counts import take_out
from core.site_changes import note_changes
from core.sites import site_of_id
from core.tables import (
    Backup,
    ChatBlock,
    Conversation,
    ConversationNote,
    MailAnswer,
    Message,
    Notice,
    PageView,
    Site,
    View,
    Visit,
    VisitChange,
    VisitMemory,
    VisitSpan,
    VisitTab,
)

AT_ONCE = 20
"""Visits that one transaction deletes, so that beacons never wait long for it: each may lie in another chunk, which is
written anew."""

EMAIL = "email"
"""The attribute that is compared without case."""

_LEFT_OUT = {"site_id", "token", "visit"}
"""The installation's own numbers, and a chat's secret: who has that writes as the visitor."""

_AT_A_TIME = 500
_LOOKED_AT_ONCE = 200_000
"""Visits, by their numbers, that one statement looks through: all of a large site take Postgres longer than a
statement may."""

_attributes = type_coerce(col(Visit.attributes), Text)
_FOLLOWS_ONE, _IS_REMEMBERED = text("follows <> ''"), text("visitor_id <> ''")
"""The conditions of the partial indexes, word for word."""


class StoredCounts(NamedTuple):
    """How much is stored of a visitor."""

    visits: int
    page_views: int
    conversations: int
    messages: int


def visits_of_person(db: Connection, site_id: int, visit_ids: Iterable[str]) -> list[Visit]:
    """These visits and all others of the same browsers, the oldest first; empty when none is stored."""
    known: dict[str, Visit] = {}
    asked: set[str] = set()
    visitors: set[str] = set()
    while wanted := set(visit_ids) - asked:
        asked |= wanted
        new = _load(db, site_id, col(Visit.id), wanted)
        met = {visit.visitor_id for visit in new if visit.visitor_id} - visitors
        visitors |= met
        new += _load(db, site_id, col(Visit.visitor_id), met, _IS_REMEMBERED)
        new += _load(db, site_id, col(Visit.follows), {visit.id for visit in new}, _FOLLOWS_ONE)
        known |= {visit.id: visit for visit in new}
        visit_ids = {*known, *(visit.follows for visit in new if visit.follows)}
    return sorted(known.values(), key=lambda visit: (visit.started_at, visit.id))


def visits_with(db: Connection, site_id: int, name: str, value: str) -> list[str]:
    """The ids of the visits that a page has identified by this value.

    It is cleaned as `identify` cleans it, then compared as it is; that of `email` without case.
    """
    name, value = clean(name, LONGEST_ATTRIBUTE_NAME), clean(value, LONGEST_ATTRIBUTE)
    if not name or not value:
        return []
    fold = str.lower if name == EMAIL else str
    written = f"{json.dumps(name, ensure_ascii=False)}:{json.dumps(value, ensure_ascii=False)}"
    pattern = written.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    likely = func.lower(_attributes).like(func.lower(f"%{pattern}%"), escape="\\")
    of_site = col(Visit.site_id) == site_id
    last: int = db.execute(select(func.max(col(Visit.number))).where(of_site)).scalar() or 0
    found = select(col(Visit.id), col(Visit.attributes)).where(of_site, likely)
    return [
        id
        for first in range(0, last + 1, _LOOKED_AT_ONCE)
        for id, told in db.execute(found.where(*_are_from(first))).tuples()
        if fold(told.get(name, "")) == fold(value)
    ]


def _are_from(first: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    number = col(Visit.number)
    return number >= first, number < first + _LOOKED_AT_ONCE


def count_stored(db: Connection, site_id: int, visit_ids: Sequence[str]) -> StoredCounts:
    """How much is stored of these visits."""
    chats = _ids_of_conversations(db, site_id, visit_ids)
    return StoredCounts(
        _count(db, site_id, col(Visit.id), visit_ids),
        _count(db, site_id, col(PageView.visit_id), visit_ids),
        len(chats),
        _count(db, site_id, col(Message.conversation_id), chats),
    )


def export_visits(
    db: Connection, site: Site, visit_ids: Sequence[str], now: datetime
) -> dict[str, Any]:
    """Everything that any table has about these visits, ready for JSON; names as in docs/schema.md.

    Each visit has its rows of other tables under the table's name, and a conversation its messages, notes and answers by mail.
    """
    assert site.id is not None
    chats = _ids_of_conversations(db, site.id, visit_ids)
    messages = _rows_by(db, site.id, col(Message.conversation_id), chats)
    notes = _rows_by(db, site.id, col(ConversationNote.conversation_id), chats)
    mails = _rows_by(db, site.id, col(MailAnswer.conversation_id), chats)
    conversations = _rows_by(db, site.id, col(Conversation.visit_id), visit_ids)
    for row in [each for rows in conversations.values() for each in rows]:
        row["message"] = messages[row["id"]]
        row["mail_answer"] = mails[row["id"]]
        row["conversation_note"] = notes[row["id"]]
    parts = {
        "page_view": _rows_by(db, site.id, col(PageView.visit_id), visit_ids),
        "visit_span": _rows_by(db, site.id, col(VisitSpan.visit_id), visit_ids),
        "visit_change": _rows_by(db, site.id, col(VisitChange.visit_id), visit_ids),
        "conversation": conversations,
        "notice": _rows_by(db, site.id, col(Notice.visit_id), visit_ids),
        "chat_block": _rows_by(db, site.id, col(ChatBlock.visit_id), visit_ids),
    }
    visits = _rows_by(db, site.id, col(Visit.id), visit_ids)
    numbers = [row["number"] for rows in visits.values() for row in rows]
    by_number = {
        "visit_memory": _rows_by(db, site.id, col(VisitMemory.visit), numbers),
        "visit_tab": _rows_by(db, site.id, col(VisitTab.visit), numbers),
    }
    return {
        "site": {"key": site.key, "name": site.name},
        "exported_at": iso_of(now),
        "visit": [
            {
                **row,
                **{name: rows[id] for name, rows in parts.items()},
                **{name: rows[row["number"]] for name, rows in by_number.items()},
            }
            for id in visit_ids
            for row in visits[id]
        ],
    }


def forget_visits_of(
    db: Connection, site_id: int, visit_ids: Sequence[str], now: datetime
) -> StoredCounts:
    """Delete these visits, at most AT_ONCE, with all that any table has about them; how much it was.

    Open pages lose them at once. A chat that somebody has on the screen ends: see core/chat/retention.py.
    What is counted of days loses them; how many visits began (`visit_count`) stays.
    """
    assert len(visit_ids) <= AT_ONCE
    lock_site(db, site_id)
    stored = count_stored(db, site_id, visit_ids)
    withdraw_conversations(db, site_id, visit_ids, now)
    follows = (col(Visit.site_id) == site_id, col(Visit.follows).in_(visit_ids), _FOLLOWS_ONE)
    db.execute(update(Visit).where(*follows).values(follows=""))
    if site := site_of_id(db, site_id):
        take_out(db, site, visit_ids)
    delete_visits(db, site_id, visit_ids)
    note_changes(db, [site_id], to_milliseconds(now))
    ask_for_rewrite(db)
    return stored


def copies_since(db: Connection, moment: datetime) -> list[Backup]:
    """The copies of the database that were made since then, and those that are being made, the newest first."""
    return [copy for copy in list_backups(db) if copy.made_at >= moment or not copy.size]


def _load(
    db: Connection, site_id: int, column: Any, values: Collection[str], *conditions: Any
) -> list[Visit]:
    return [
        Visit.of(row)
        for part in _parts(values, column)
        for row in db.execute(
            select(Visit).where(col(Visit.site_id) == site_id, column.in_(part), *conditions)
        ).mappings()
    ]


def _ids_of_conversations(db: Connection, site_id: int, visit_ids: Sequence[str]) -> list[str]:
    of_visit = col(Conversation.visit_id)
    return [
        id
        for part in _parts(visit_ids, of_visit)
        for id in db.execute(
            select(col(Conversation.id)).where(
                col(Conversation.site_id) == site_id, of_visit.in_(part)
            )
        ).scalars()
    ]


def _count(db: Connection, site_id: int, column: Any, values: Collection[str]) -> int:
    table = column.class_.__table__
    counted = select(func.count()).select_from(table).where(table.c.site_id == site_id)
    parts = _parts(values, column)
    return sum(db.execute(counted.where(column.in_(part))).scalar_one() for part in parts)


def _rows_by(
    db: Connection, site_id: int, column: Any, values: Collection[Any]
) -> defaultdict[Any, list[dict[str, Any]]]:
    """The rows of the column's table by its value, without what is left out, in the order of their keys."""
    table = column.class_.__table__
    key = itemgetter(*(each.name for each in table.primary_key))
    found: defaultdict[Any, list[dict[str, Any]]] = defaultdict(list)
    for part in _parts(values, column):
        rows = db.execute(select(table).where(table.c.site_id == site_id, column.in_(part)))
        # Sorted here: with ORDER BY, SQLite reads all that the site has in this table.
        for row in sorted(rows.mappings(), key=key):
            found[row[column.key]].append(_plain(row))
    return found


def _plain(row: Any) -> dict[str, Any]:
    """The row as JSON can have it: moments in ISO 8601, UTC."""
    told = {name: value for name, value in row.items() if name not in _LEFT_OUT}
    if told.get("memory"):
        told["memory"] = json.loads(told["memory"])
    return {
        name: iso_of(value) if isinstance(value, datetime) else value
        for name, value in told.items()
    }


def _parts(values: Collection[Any], column: Any) -> Iterable[list[Any]]:
    """Of a view one value at a time: to find several, SQLite reads all of the site's rows."""
    ordered = list(values)
    size = 1 if issubclass(column.class_, View) else _AT_A_TIME
    return (ordered[at : at + size] for at in range(0, len(ordered), size))
