"""Rows of before, with the visit's id and all texts in each, become small ones that tell the same."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from sqlalchemy import text

from collector.writing.hit_batch import commit_hits
from collector.writing.statements import Statements
from collector.writing.visit_cache import VisitCache
from core.database import open_database, reading, writing
from core.schema import upgrade_schema
from core.visits.hit import Event, EventKind, Hit, Opening
from core.visits.row_keys import chat_tab
from core.visits.tab_state import TabState, read_memory
from tests.helpers.old_schema import load_released

START = 1_795_000_000_000
VISITS = 400
VIEW = ("site_id", "visit_id", "tab", "number", "viewed_at", "path", "title", "page_context")
SPAN = ("site_id", "visit_id", "tab", "kind", "number", "from_at", "until_at", "is_open")


@pytest.fixture
def engine(bare_database_url):
    engine = open_database(bare_database_url)
    yield engine
    engine.dispose()


def fill(engine: Any, visits: int = VISITS) -> None:
    """Visits of version 0008 on two sites, with several tabs, chats of both kinds, and pages of all kinds."""
    chance = random.Random(7)
    with writing(engine) as db:
        load_released(db, "0008")
        for table in ("visit", "page_view", "visit_span", "conversation", "message", "backlog"):
            db.exec_driver_sql(f"DELETE FROM {table}")
        columns = db.exec_driver_sql("SELECT * FROM visit").keys()
        rows, views, spans = [], [], []
        for number in range(visits):
            site_id, id = 1 + number % 2, f"{chance.getrandbits(80):020x}"
            at = START + chance.randrange(10_000_000)
            given = {"site_id": site_id, "id": id, "attributes": '{"name":"Ann"}', "memory": "{}"}
            moments = dict.fromkeys(
                ("started_at", "last_seen_at", "last_activity_at", "in_view_until"), at
            )
            row = dict.fromkeys(columns, "") | given | moments
            row |= {"page_count": 3, "cart_value": 1.5, "visit_number": 0}
            rows.append(row | {"chat_started_at": None, "chat_message_at": None})
            for tab in [f"tab{chance.getrandbits(30):08x}" for _ in range(1 + number % 3)]:
                for view in range(1, 3):
                    title = chance.choice(["Tea", "Cups", f"Own {number}"])
                    shown = (at + chance.randrange(-999, 99_999), f"/{title}", title, "Product")
                    views.append(dict(zip(VIEW, (site_id, id, tab, view, *shown), strict=True)))
                for kind in ("in_view", "active", "chatting")[: 2 + number % 2]:
                    from_at = at + chance.randrange(99_999)
                    until_at = from_at + chance.randrange(99_999)
                    span = (kind, 1, from_at, until_at, bool(number % 2))
                    spans.append(dict(zip(SPAN, (site_id, id, tab, *span), strict=True)))
            if not number % 50:
                chat = f"chat{number}"
                add_chat(db, site_id, chat, id)
                span = ("chatting", 1, at, at + 5, True)
                spans.append(dict(zip(SPAN, (site_id, id, chat, *span), strict=True)))
        for table, made in (("visit", rows), ("page_view", views), ("visit_span", spans)):
            names = list(made[0])
            marks = ", ".join(f":{name}" for name in names)
            db.execute(text(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"), made)


def add_chat(db: Any, site_id: int, id: str, visit_id: str) -> None:
    row: dict[str, Any] = dict.fromkeys(db.exec_driver_sql("SELECT * FROM conversation").keys(), 0)
    texts = ("tab", "opened_by", "rule_id", "closed_by")
    row |= dict.fromkeys(texts, "") | {"site_id": site_id, "id": id, "visit_id": visit_id}
    row |= {"token": f"token of {id}", "state": "ended"}
    marks = ", ".join(f":{name}" for name in row)
    db.execute(text(f"INSERT INTO conversation ({', '.join(row)}) VALUES ({marks})"), row)


def content(engine: Any, table: str, columns: tuple[str, ...], chats: dict[Any, str]) -> list[Any]:
    """The rows without the names of tabs, but for chats."""
    with reading(engine) as db:
        listed = ", ".join(columns)
        found = db.exec_driver_sql(f"SELECT {listed} FROM {table}").all()
    at = columns.index("tab") if "tab" in columns else None
    if at is None:
        return sorted(map(str, found))
    return sorted(str((*row[:at], chats.get(row[at]), *row[at + 1 :])) for row in found)


def test_every_row_of_before_is_there(engine):
    fill(engine)
    chats = {f"chat{number}": f"chat{number}" for number in range(0, VISITS, 50)}
    with reading(engine) as db:
        names = tuple(db.exec_driver_sql("SELECT * FROM visit").keys())
    visit = tuple(name for name in names if name != "memory")
    tables = (("visit", visit), ("page_view", VIEW), ("visit_span", SPAN))
    before = [content(engine, *each, chats) for each in tables]

    upgrade_schema(engine)

    numbered = {chat_tab(chat): chat for chat in chats}
    assert [content(engine, *each, numbered) for each in tables] == before
    with reading(engine) as db:
        for table in ("page_view", "visit_span"):
            tabs = db.exec_driver_sql(
                f"SELECT count(DISTINCT tab), max(tab) FROM {table} WHERE tab > 0"
                " GROUP BY site_id, visit_id"
            ).all()
            assert {tuple(row) for row in tabs} == {(1, 1), (2, 2), (3, 3)}
        uses = "SELECT site_id, page, count(*) FROM page_view_row GROUP BY site_id, page"
        told = "SELECT site_id, id, uses FROM page"
        assert sorted(db.exec_driver_sql(uses)) == sorted(db.exec_driver_sql(told))
        order = db.exec_driver_sql(
            "SELECT started_at FROM visit WHERE site_id = 1 ORDER BY number"
        ).scalars()
        moments = list(order)
        assert moments == sorted(moments)
        last = "SELECT s.last, max(v.number), count(*) FROM visit AS v JOIN visit_sequence AS s"
        last += " ON s.site_id = v.site_id GROUP BY v.site_id, s.last"
        assert {tuple(row) for row in db.exec_driver_sql(last)} == {(VISITS // 2,) * 3}
        assert db.exec_driver_sql("SELECT count(*) FROM visit_memory").scalar_one() == 0


def test_visit_that_goes_on_during_the_upgrade_goes_on_after_it(engine):
    fill(engine, 20)
    now = int(time.time() * 1000)
    tab = [3, now, True, 3, now, 3, now, now, 1, "/a", "A", ""]
    memory = {"tabs": {"tabnew01": [*tab], "tabnew02": [1, now]}, "current_tab": "tabnew01"}
    with writing(engine) as db:
        id = db.exec_driver_sql("SELECT min(id) FROM visit WHERE site_id = 1").scalar_one()
        db.execute(
            text("UPDATE visit SET memory = :memory, last_activity_at = :now WHERE id = :id"),
            {"memory": json.dumps(memory | {"chat_tab": "tabnew02"}), "now": now, "id": id},
        )
        known = db.execute(
            text("SELECT count(DISTINCT tab) FROM page_view WHERE visit_id = :id"), {"id": id}
        ).scalar_one()
        views = db.exec_driver_sql("SELECT count(*) FROM page_view").scalar_one()

    upgrade_schema(engine)

    with reading(engine) as db:
        [(stored,)] = db.exec_driver_sql("SELECT memory FROM visit_memory").all()
        told = read_memory(stored)
        expected = TabState(*tab, known + 1)  # pyright: ignore[reportCallIssue]
        assert told.tabs["tabnew01"] == expected
        assert (told.tab_count, told.chat_tab) == (known + 2, known + 2)
        tabs = db.exec_driver_sql("SELECT id, tab FROM visit_tab").all()
        assert ("tabnew02", known + 2) in tabs
        assert len(tabs) == known + 2
        [first] = [name for name, ordinal in tabs if ordinal == 1]
    for name, number in ((first, 1), (first, 9), ("tabnew01", 4)):
        event = Event(EventKind.VIEW, number, now, now, "/b")
        hit = Hit(1, (id,), False, name, now, (event,), Opening())
        commit_hits(engine, Statements(engine), VisitCache(), [hit])
    with reading(engine) as db:
        # The one that was stored before the upgrade is not stored again.
        assert db.exec_driver_sql("SELECT count(*) FROM page_view").scalar_one() == views + 2
