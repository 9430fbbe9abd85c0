"""Visits of earlier versions on two sites, for tests of the upgrade."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy import Engine, inspect, text

from core.database import reading, writing
from core.visits.row_keys import chat_tab
from tests.helpers.old_schema import load_released

_START = 1_795_000_000_000
VIEW = ("site_id", "visit_id", "tab", "number", "viewed_at", "path", "title", "page_context")
SPAN = ("site_id", "visit_id", "tab", "kind", "number", "from_at", "until_at", "is_open")
_SINCE_0005 = {"cart_value": "CAST(0 AS FLOAT)", "cart_currency": "''", "visit_number": "0"}
"""Columns of visits, and what they are of those of before."""

_EMPTIED = ("visit", "page_view", "visit_span", "conversation", "message", "backlog")


def fill(engine: Engine, visits: int, revision: str = "0008") -> None:
    """Visits of this version on two sites, with several tabs, chats of both kinds, and pages of all kinds."""
    chance = random.Random(7)
    with writing(engine) as db:
        load_released(db, revision)
        tables = set(inspect(db).get_table_names())
        for table in tables.intersection(_EMPTIED):
            db.exec_driver_sql(f"DELETE FROM {table}")
        columns = db.exec_driver_sql("SELECT * FROM visit").keys()
        rows, views, spans = [], [], []
        for number in range(visits):
            site_id, id = 1 + number % 2, f"{chance.getrandbits(80):020x}"
            at = _START + chance.randrange(10_000_000)
            given = {"site_id": site_id, "id": id, "attributes": '{"name":"Ann"}', "memory": "{}"}
            moments = dict.fromkeys(
                ("started_at", "last_seen_at", "last_activity_at", "in_view_until"), at
            )
            row = dict.fromkeys(columns, "") | given | moments
            row |= {"page_count": 3, "cart_value": 1.5, "visit_number": 0}
            row |= {"chat_started_at": None, "chat_message_at": None}
            rows.append({name: row[name] for name in columns})
            for tab in [f"tab{chance.getrandbits(30):08x}" for _ in range(1 + number % 3)]:
                for view in range(1, 3):
                    title = chance.choice(["Tea", "Cups", f"Own-{number}"])
                    shown = (at + chance.randrange(-999, 99_999), f"/{title}", title, "Product")
                    views.append(dict(zip(VIEW, (site_id, id, tab, view, *shown), strict=True)))
                for kind in ("in_view", "active", "chatting")[: 2 + number % 2]:
                    from_at = at + chance.randrange(99_999)
                    until_at = from_at + chance.randrange(99_999)
                    span = (kind, 1, from_at, until_at, bool(number % 2))
                    spans.append(dict(zip(SPAN, (site_id, id, tab, *span), strict=True)))
            if not number % 50 and "conversation" in tables:
                chat = f"chat{number}"
                _add_chat(db, site_id, chat, id)
                span = ("chatting", 1, at, at + 5, True)
                spans.append(dict(zip(SPAN, (site_id, id, chat, *span), strict=True)))
        for table, made in (("visit", rows), ("page_view", views), ("visit_span", spans)):
            names = list(made[0])
            marks = ", ".join(f":{name}" for name in names)
            db.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"), made)


def _add_chat(db: Any, site_id: int, id: str, visit_id: str) -> None:
    row: dict[str, Any] = dict.fromkeys(db.exec_driver_sql("SELECT * FROM conversation").keys(), 0)
    texts = ("tab", "opened_by", "rule_id", "closed_by")
    row |= dict.fromkeys(texts, "") | {"site_id": site_id, "id": id, "visit_id": visit_id}
    row |= {"token": f"token of {id}", "state": "ended"}
    marks = ", ".join(f":{name}" for name in row)
    db.execute(text(f"INSERT INTO conversation ({', '.join(row)}) VALUES ({marks})"), row)


def stored(engine: Engine) -> list[list[str]]:
    """All visits, page views and spans, of before and of after the upgrade alike: without the names of tabs, which
    only chats keep, and without what the collector remembers."""
    with reading(engine) as db:
        has_chats = inspect(db).has_table("conversation")
        found = db.exec_driver_sql("SELECT id FROM conversation") if has_chats else None
        ids = found.scalars().all() if found else []
        there = set(db.exec_driver_sql("SELECT * FROM visit").keys()) - {"memory", "number"}
    chats = {key: id for id in ids for key in (id, chat_tab(id))}
    visit = tuple(
        name if name in there else _SINCE_0005[name] for name in sorted(there | set(_SINCE_0005))
    )
    tables = (("visit", visit), ("page_view", VIEW), ("visit_span", SPAN))
    return [_content(engine, *each, chats) for each in tables]


def _content(
    engine: Engine, table: str, columns: tuple[str, ...], chats: dict[str | int, str]
) -> list[str]:
    with reading(engine) as db:
        found = db.exec_driver_sql(f"SELECT {', '.join(columns)} FROM {table}").all()
    at = columns.index("tab") if "tab" in columns else None
    if at is None:
        return sorted(map(str, found))
    return sorted(str((*row[:at], chats.get(row[at]), *row[at + 1 :])) for row in found)
