"""What is remembered of live visits, moved with a bite of them: there each tab has a number."""

from __future__ import annotations

import json
from time import time
from typing import Any

import sqlalchemy as sa

_LIVE_FOR = 2 * 60 * 60 * 1000
"""Milliseconds after its last activity in which a visit may still change."""

_NOTE_TAB = sa.text(
    "INSERT INTO visit_tab (site_id, visit, tab, id) VALUES (:site, :visit, :tab, :id)"
)


def move_memories(db: sa.Connection, site: int) -> None:
    """Of the visits of a bite that may still change: of the others nothing is needed any more."""
    rows = db.execute(
        sa.text(
            "SELECT n.number, v.memory FROM noted_visit AS n"
            " CROSS JOIN visit AS v WHERE v.site_id = :site AND v.id = n.id"
            " AND v.memory <> '' AND v.last_activity_at > :since"
        ),
        {"site": site, "since": int(time() * 1000) - _LIVE_FOR},
    ).all()
    for number, memory in rows:
        known = db.execute(
            sa.text("SELECT id, tab FROM noted_tab WHERE visit = :visit AND tab > 0"),
            {"visit": number},
        )
        tabs: dict[str, int] = dict(known.tuples().all())
        text = _renumbered(memory, tabs)
        key = {"site": site, "visit": number}
        db.execute(
            sa.text("INSERT INTO visit_memory VALUES (:site, :visit, :memory)"),
            {**key, "memory": text},
        )
        noted = [{**key, "tab": tab, "id": id} for id, tab in tabs.items()]
        if noted:
            db.execute(_NOTE_TAB, noted)


def _renumbered(memory: str, tabs: dict[str, int]) -> str:
    """The memory, in which each tab has a number; those that have told nothing yet get the next ones."""
    told = json.loads(memory)
    for id, state in told.get("tabs", {}).items():
        tabs.setdefault(id, len(tabs) + 1)
        defaults: list[Any] = [0, 0, False, 0, 0, 0, 0, 0, 0, "", "", ""]
        told["tabs"][id] = [*state, *defaults[len(state) :], tabs[id]]
    if told.get("chat_tab"):
        told["chat_tab"] = tabs.setdefault(told["chat_tab"], len(tabs) + 1)
    else:
        told.pop("chat_tab", None)
    told["tab_count"] = len(tabs)
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
