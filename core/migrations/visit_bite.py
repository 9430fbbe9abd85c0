"""Some thousand visits at once, moved from the old tables into those of small rows.

Each query begins with the bite's own visits: SQLite takes the tables of a CROSS JOIN in the order in which they
are named, and would else read all visits of the site for each bite.
"""

# ruff: noqa: S608 (statements are made of the names in core/migrations/row_tables.py only)
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from core.enrich.readable_path import readable_path
from core.migrations.moved_memories import move_memories
from core.migrations.old_tables import OldTables
from core.migrations.row_tables import VISIT
from core.visits.row_keys import chat_tab, page_id

VISITS_A_BITE = 5_000
"""One to two seconds of work: after that it is in the database for good, and a writer has waited no longer."""

SPAN_KINDS = ("in_view", "active", "chatting")
"""Their places are the numbers that stand for them."""

_LONGEST_PATH = 1_024
_NOTES = (
    "CREATE TEMPORARY TABLE noted_visit"
    " (id VARCHAR PRIMARY KEY, number INTEGER, started_at BIGINT)",
    "CREATE TEMPORARY TABLE noted_tab (visit INTEGER, tab INTEGER, id VARCHAR,"
    " PRIMARY KEY (visit, id))",
    "CREATE TEMPORARY TABLE noted_page (path VARCHAR, title VARCHAR, page_context VARCHAR,"
    " id BIGINT)",
)
"""Of a bite: its visits, which number each of their tabs has, and which id each page."""


class VisitPlace(NamedTuple):
    """After which visit of a site a bite begins, in the order of their starts."""

    started_at: int
    id: str


START = VisitPlace(-(2**62), "")


def move_bite(db: sa.Connection, site: int, after: VisitPlace, old: OldTables) -> VisitPlace | None:
    """The last visit of a bite that was moved; None: there was none after that place."""
    for statement in _NOTES:
        db.execute(sa.text(statement))
    last = _note_visits(db, site, after)
    if last is not None:
        _move_noted(db, site, old)
    for name in ("noted_visit", "noted_tab", "noted_page"):
        db.execute(sa.text(f"DROP TABLE {name}"))
    return last


def _note_visits(db: sa.Connection, site: int, after: VisitPlace) -> VisitPlace | None:
    """Those of the bite get the next numbers. One that was moved already is left out."""
    db.execute(
        sa.text(
            "INSERT INTO noted_visit (id, number, started_at) SELECT id,"
            " coalesce((SELECT last FROM visit_sequence WHERE site_id = :site), 0)"
            " + row_number() OVER (ORDER BY started_at, id), started_at FROM ("
            " SELECT v.id, v.started_at FROM visit AS v"
            " WHERE v.site_id = :site AND v.started_at >= :at"
            " AND (v.started_at > :at OR v.id > :id) AND NOT EXISTS (SELECT 1"
            " FROM numbered_visit AS n WHERE n.site_id = v.site_id AND n.id = v.id)"
            f" ORDER BY v.started_at, v.id LIMIT {VISITS_A_BITE}) AS following"
        ),
        {"site": site, "at": after.started_at, "id": after.id},
    )
    last = db.execute(
        sa.text("SELECT started_at, id, number FROM noted_visit ORDER BY number DESC LIMIT 1")
    ).first()
    if last is None:
        return None
    db.execute(
        sa.text(
            "INSERT INTO visit_sequence (site_id, last) VALUES (:site, :last)"
            " ON CONFLICT (site_id) DO UPDATE SET last = excluded.last"
        ),
        {"site": site, "last": last.number},
    )
    return VisitPlace(last.started_at, last.id)


def _move_noted(db: sa.Connection, site: int, old: OldTables) -> None:
    _analyze(db, "noted_visit")
    _move_visits(db, site, old)
    _note_tabs(db, site, old)
    pages = _note_pages(db, site, old)
    _analyze(db, "noted_tab", "noted_page")
    move_memories(db, site)
    _move_spans(db, site)
    _move_views(db, site)
    _count_pages(db, site, pages)


def _move_visits(db: sa.Connection, site: int, old: OldTables) -> None:
    names = [name for name, _ in VISIT]
    db.execute(
        sa.text(
            f"INSERT INTO numbered_visit ({', '.join(names)}, number)"
            f" SELECT {', '.join(map(old.visit_value, names))}, n.number FROM noted_visit AS n"
            " CROSS JOIN visit AS v WHERE v.site_id = :site AND v.id = n.id ORDER BY n.number"
        ),
        {"site": site},
    )
    if not old.are_escaped:
        return
    for name in ("entry_path", "current_path"):
        escaped = sa.text(
            f"SELECT n.number, v.{name} FROM noted_visit AS n CROSS JOIN numbered_visit AS v"
            f" WHERE v.site_id = :site AND v.id = n.id AND v.{name} LIKE '%\\%%' ESCAPE '\\'"
        )
        _run(
            db,
            f"UPDATE numbered_visit SET {name} = :path WHERE site_id = :site AND number = :number",
            [
                {"path": readable_path(path, _LONGEST_PATH), "site": site, "number": number}
                for number, path in db.execute(escaped, {"site": site})
            ],
        )


def _note_tabs(db: sa.Connection, site: int, old: OldTables) -> None:
    """Numbers in the order in which the tabs were first heard of; our own chats belong to no tab."""
    is_chat = (
        "EXISTS (SELECT 1 FROM conversation AS c"
        " WHERE c.site_id = s.site_id AND c.id = s.tab AND c.visit_id = s.visit_id)"
    )
    of_tabs = f"(s.kind <> 'chatting' OR NOT {is_chat})" if old.has_chats else "true"
    db.execute(
        sa.text(
            "INSERT INTO noted_tab (visit, tab, id) SELECT visit,"
            " row_number() OVER (PARTITION BY visit ORDER BY heard_at, tab), tab FROM ("
            " SELECT visit, tab, min(at) AS heard_at FROM ("
            " SELECT n.number AS visit, v.tab AS tab, v.viewed_at AS at FROM noted_visit AS n"
            " CROSS JOIN page_view AS v WHERE v.site_id = :site AND v.visit_id = n.id"
            " UNION ALL SELECT n.number, s.tab, s.from_at FROM noted_visit AS n"
            " CROSS JOIN visit_span AS s WHERE s.site_id = :site AND s.visit_id = n.id"
            f" AND {of_tabs}) AS heard GROUP BY visit, tab) AS tabs"
        ),
        {"site": site},
    )
    if old.has_chats:
        _note_chats(db, site)


def _note_chats(db: sa.Connection, site: int) -> None:
    chats = db.execute(
        sa.text(
            "SELECT DISTINCT n.number, c.id FROM noted_visit AS n"
            " CROSS JOIN conversation AS c WHERE c.site_id = :site AND c.visit_id = n.id"
        ),
        {"site": site},
    ).all()
    _run(
        db,
        "INSERT INTO noted_tab (visit, tab, id) VALUES (:visit, :tab, :id) ON CONFLICT DO NOTHING",
        [{"visit": visit, "tab": chat_tab(id), "id": id} for visit, id in chats],
    )


def _note_pages(db: sa.Connection, site: int, old: OldTables) -> dict[int, Sequence[str]]:
    """What each page says of itself, by its id."""
    found = db.execute(
        sa.text(
            "SELECT DISTINCT v.path, v.title, v.page_context FROM noted_visit AS n"
            " CROSS JOIN page_view AS v WHERE v.site_id = :site AND v.visit_id = n.id"
        ),
        {"site": site},
    ).all()
    pages: dict[int, Sequence[str]] = {}
    notes: list[dict[str, Any]] = []
    for stored, title, context in found:
        path = readable_path(stored, _LONGEST_PATH) if old.are_escaped else stored
        id = page_id(path, title, context)
        pages[id] = (path, title, context)
        notes.append({"path": stored, "title": title, "context": context, "id": id})
    _run(
        db,
        "INSERT INTO noted_page (path, title, page_context, id)"
        " VALUES (:path, :title, :context, :id)",
        notes,
    )
    if (
        db.dialect.name == "sqlite"
    ):  # On Postgres a text may be too long for an index; it needs none.
        db.execute(
            sa.text("CREATE INDEX noted_page_by_text ON noted_page (path, title, page_context)")
        )
    return pages


def _move_spans(db: sa.Connection, site: int) -> None:
    kinds = " ".join(f"WHEN '{kind}' THEN {code}" for code, kind in enumerate(SPAN_KINDS))
    db.execute(
        sa.text(
            "INSERT INTO visit_span_row"
            " (site_id, visit, tab, kind, number, is_open, from_after, length)"
            f" SELECT s.site_id, n.number, t.tab, CASE s.kind {kinds} END, s.number, s.is_open,"
            " s.from_at - n.started_at, s.until_at - s.from_at FROM noted_visit AS n"
            " CROSS JOIN visit_span AS s CROSS JOIN noted_tab AS t"
            " WHERE s.site_id = :site AND s.visit_id = n.id"
            " AND t.visit = n.number AND t.id = s.tab"
            " ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING"
        ),
        {"site": site},
    )


def _move_views(db: sa.Connection, site: int) -> None:
    db.execute(
        sa.text(
            "INSERT INTO page_view_row (site_id, visit, tab, number, viewed_after, page)"
            " SELECT v.site_id, n.number, t.tab, v.number, v.viewed_at - n.started_at, p.id"
            " FROM noted_visit AS n"
            " CROSS JOIN page_view AS v CROSS JOIN noted_tab AS t CROSS JOIN noted_page AS p"
            " WHERE v.site_id = :site AND v.visit_id = n.id"
            " AND t.visit = n.number AND t.id = v.tab"
            " AND p.path = v.path AND p.title = v.title AND p.page_context = v.page_context"
            " ORDER BY 1, 2, 3, 4"
        ),
        {"site": site},
    )


def _count_pages(db: sa.Connection, site: int, pages: dict[int, Sequence[str]]) -> None:
    """By what was moved: on Postgres somebody may have changed the old rows since they were counted."""
    uses = db.execute(
        sa.text(
            "SELECT r.page, count(*) FROM noted_visit AS n"
            " CROSS JOIN page_view_row AS r WHERE r.site_id = :site AND r.visit = n.number"
            " GROUP BY r.page ORDER BY r.page"
        ),
        {"site": site},
    ).all()
    _run(
        db,
        "INSERT INTO page (site_id, id, uses, path, title, page_context)"
        " VALUES (:site, :id, :uses, :path, :title, :context)"
        " ON CONFLICT (site_id, id) DO UPDATE SET uses = page.uses + excluded.uses",
        [
            {
                "site": site,
                "id": id,
                "uses": count,
                **dict(zip(("path", "title", "context"), pages[id], strict=True)),
            }
            for id, count in uses
        ],
    )


def _analyze(db: sa.Connection, *tables: str) -> None:
    """On Postgres, which would else read a whole table for each bite."""
    if db.dialect.name == "postgresql":
        for table in tables:
            db.execute(sa.text(f"ANALYZE {table}"))


def _run(db: sa.Connection, statement: str, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        db.execute(sa.text(statement), rows)
