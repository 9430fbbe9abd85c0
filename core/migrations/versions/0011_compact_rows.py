"""Visits have numbers, by which page views and spans name them; what pages say of themselves is stored once.

`page_view` and `visit_span` are views from here on, on rows of a fifth of their size. A million visits take some
minutes, in bites of visits, so that memory is bounded; all of it is one transaction, so that an upgrade that is
killed leaves the tables as they were, and begins anew.
"""

# ruff: noqa: S608 (statements are made of the names above and below only)
from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator
from time import monotonic, time
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

from core.enrich.readable_path import readable_path
from core.visits.row_keys import chat_tab, page_id

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_BITE = 5_000
"""Visits whose rows are moved at once."""

_TOLD_EVERY = 10.0
"""Seconds between two lines of the log."""

_LONGEST_PATH = 1_024
_LIVE_FOR = 2 * 60 * 60 * 1000
"""Milliseconds after its last activity in which a visit may still change."""

_KINDS = ("in_view", "active", "chatting")
_log = logging.getLogger("core.upgrade")


def upgrade() -> None:
    db = op.get_bind()
    are_escaped = _take_backlog(db)
    for name, (columns, keys) in _ROWS.items():
        _create(name, columns, keys)
    _create_numbered_visits(db)
    if are_escaped:
        _make_paths_readable(db)
    _create_notes(db)
    _move_rows(db, are_escaped)
    _replace_tables(db)
    _create_views()


def downgrade() -> None:
    """What identifies tabs is kept only of visits that may still change: others get their ordinals."""
    for name, columns in (("page_view", _OLD_VIEW), ("visit_span", _OLD_SPAN)):
        op.create_table(f"old_{name}", *_of(columns))
        others = [column for column, _ in columns if column != "tab"]
        listed = ", ".join(f"v.{column}" for column in others)
        op.execute(
            f"INSERT INTO old_{name} (tab, {', '.join(others)})"
            f" SELECT coalesce(t.id, CAST(v.tab AS VARCHAR)), {listed} FROM {name} AS v"
            " JOIN visit ON visit.site_id = v.site_id AND visit.id = v.visit_id"
            " LEFT JOIN visit_tab AS t"
            " ON t.site_id = v.site_id AND t.visit = visit.number AND t.tab = v.tab"
        )
    for view in ("visit_change", "visit_span", "page_view"):
        op.execute(f"DROP VIEW {view}")
    for name, columns, keys in (("page_view", _OLD_VIEW, 4), ("visit_span", _OLD_SPAN, 5)):
        _create(name, columns, keys, with_rowid=name == "visit_span")
        listed = ", ".join(column for column, _ in columns)
        op.execute(f"INSERT INTO {name} ({listed}) SELECT {listed} FROM old_{name}")
        op.drop_table(f"old_{name}")
    for name in _ROWS:
        op.drop_table(name)
    op.drop_index("visit_by_number", "visit")
    op.drop_column("visit", "number")
    op.add_column(
        "visit", sa.Column("memory", sa.Text(), nullable=False, server_default=sa.text("''"))
    )


_INT, _BIG, _SMALL = sa.Integer(), sa.BigInteger(), sa.SmallInteger()
_STRING, _TEXT, _BOOL = sa.String(), sa.Text(), sa.Boolean()

Columns = tuple[tuple[str, sa.types.TypeEngine[Any]], ...]

_OLD_VIEW: Columns = (
    ("site_id", _INT),
    ("visit_id", _STRING),
    ("tab", _STRING),
    ("number", _INT),
    ("viewed_at", _BIG),
    ("path", _STRING),
    ("title", _STRING),
    ("page_context", _STRING),
)
_OLD_SPAN: Columns = (
    ("site_id", _INT),
    ("visit_id", _STRING),
    ("tab", _STRING),
    ("kind", _STRING),
    ("number", _INT),
    ("from_at", _BIG),
    ("until_at", _BIG),
    ("is_open", _BOOL),
)
_ROWS: dict[str, tuple[Columns, int]] = {
    "visit_sequence": ((("site_id", _INT), ("last", _INT)), 1),
    "visit_memory": ((("site_id", _INT), ("visit", _INT), ("memory", _TEXT)), 2),
    "visit_tab": ((("site_id", _INT), ("visit", _INT), ("tab", _INT), ("id", _STRING)), 3),
    "page": (
        (
            ("site_id", _INT),
            ("id", _BIG),
            ("uses", _INT),
            ("path", _STRING),
            ("title", _STRING),
            ("page_context", _STRING),
        ),
        2,
    ),
    "page_view_row": (
        (
            ("site_id", _INT),
            ("visit", _INT),
            ("tab", _INT),
            ("number", _INT),
            ("viewed_after", _BIG),
            ("page", _BIG),
        ),
        4,
    ),
    "visit_span_row": (
        (
            ("site_id", _INT),
            ("visit", _INT),
            ("tab", _INT),
            ("kind", _SMALL),
            ("number", _INT),
            ("is_open", _BOOL),
            ("from_after", _BIG),
            ("length", _BIG),
        ),
        5,
    ),
    "visit_change_row": (
        (
            ("site_id", _INT),
            ("visit", _INT),
            ("number", _INT),
            ("kind", _SMALL),
            ("changed_after", _BIG),
            ("page", _BIG),
            ("told", _TEXT),
        ),
        3,
    ),
}
"""Columns, and how many of them are the key."""


def _create(name: str, columns: Columns, keys: int, with_rowid: bool = False) -> None:
    key = sa.PrimaryKeyConstraint(*(name for name, _ in columns[:keys]))
    op.create_table(name, *_of(columns), key, sqlite_with_rowid=with_rowid)


def _of(columns: Columns) -> list[sa.Column[Any]]:
    nullable = ("chat_started_at", "chat_message_at")
    return [sa.Column(name, kind, nullable=name in nullable) for name, kind in columns]


_MOMENTS = ("started_at", "last_seen_at", "last_activity_at", "in_view_until")
_TEXTS = (
    *("entry_path", "current_path", "current_title", "page_context", "referrer", "source"),
    *("source_kind", "medium", "campaign", "browser", "os", "device", "country", "language"),
    "time_zone",
)
_VISIT: Columns = (
    ("site_id", _INT),
    *((name, _STRING) for name in ("id", "visitor_id", "follows")),
    *((name, _BIG) for name in _MOMENTS),
    ("page_count", _INT),
    *((name, _STRING) for name in _TEXTS),
    ("attributes", _TEXT),
    ("cart_value", sa.Float()),
    ("cart_currency", _STRING),
    ("visit_number", _INT),
    ("chat_source", _STRING),
    ("chat_started_at", _BIG),
    ("chat_message_at", _BIG),
)


def _create_numbered_visits(db: sa.Connection) -> None:
    """The visits anew, in the order in which they began."""
    if db.execute(sa.text("SELECT 1 FROM visit LIMIT 1")).first():
        _log.info("upgrade_numbers_visits")
    op.create_table(
        "numbered_visit",
        *_of(_VISIT),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id", name="numbered_visit_pkey"),
    )
    names = ", ".join(name for name, _ in _VISIT)
    db.execute(
        sa.text(
            f"INSERT INTO numbered_visit ({names}, number) SELECT {names},"
            " row_number() OVER (PARTITION BY site_id ORDER BY started_at, id)"
            " FROM visit ORDER BY site_id, started_at, id"
        )
    )
    op.create_index("visit_by_number", "numbered_visit", ["site_id", "number"], unique=True)
    _analyze(db, "numbered_visit", "page_view", "visit_span")
    db.execute(
        sa.text(
            "INSERT INTO visit_sequence (site_id, last)"
            " SELECT site_id, max(number) FROM numbered_visit GROUP BY site_id"
        )
    )


def _take_backlog(db: sa.Connection) -> bool:
    """Whether paths may still be stored as browsers send them: then they become readable on the way."""
    found = db.execute(sa.text("DELETE FROM backlog WHERE name = 'readable_paths'"))
    return found.rowcount > 0


def _make_paths_readable(db: sa.Connection) -> None:
    for name in ("entry_path", "current_path"):
        escaped = sa.text(
            f"SELECT site_id, number, {name} FROM numbered_visit WHERE {name} LIKE '%\\%%' ESCAPE '\\'"
        )
        for row in db.execute(escaped).all():
            db.execute(
                sa.text(
                    f"UPDATE numbered_visit SET {name} = :path"
                    " WHERE site_id = :site AND number = :number"
                ),
                {
                    "path": readable_path(row[2], _LONGEST_PATH),
                    "site": row.site_id,
                    "number": row.number,
                },
            )


def _create_notes(db: sa.Connection) -> None:
    """Which number a tab of a bite's visits has, and which id a page."""
    statements = (
        "CREATE TEMPORARY TABLE noted_tab (visit INTEGER, tab INTEGER, id VARCHAR,"
        " PRIMARY KEY (visit, id))",
        "CREATE TEMPORARY TABLE noted_page (path VARCHAR, title VARCHAR, page_context VARCHAR,"
        " id BIGINT)",
        "CREATE INDEX noted_page_by_text ON noted_page (path, title, page_context)",
    )
    # On Postgres a text may be too long for an index; it needs none.
    for statement in statements[: 2 if db.dialect.name == "postgresql" else 3]:
        db.execute(sa.text(statement))


class VisitBite(NamedTuple):
    """Visits of one site, by their numbers."""

    site: int
    first: int
    last: int


def _move_rows(db: sa.Connection, are_escaped: bool) -> None:
    told_at = monotonic()
    total = db.execute(sa.text("SELECT coalesce(sum(last), 0) FROM visit_sequence")).scalar_one()
    done = 0
    for bite in _bites(db):
        for note in ("noted_tab", "noted_page"):
            db.execute(sa.text(f"DELETE FROM {note}"))
        _note_tabs(db, bite)
        _note_pages(db, bite, are_escaped)
        _analyze(db, "noted_tab", "noted_page")
        _move_memories(db, bite)
        _move_spans(db, bite)
        _move_views(db, bite)
        done += bite.last - bite.first + 1
        if monotonic() > told_at + _TOLD_EVERY:
            told_at = monotonic()
            _log.info("upgrade_moves_rows visits=%d of=%d", done, total)


def _bites(db: sa.Connection) -> Iterator[VisitBite]:
    sites = db.execute(sa.text("SELECT site_id, last FROM visit_sequence ORDER BY site_id")).all()
    for site, last in sites:
        for first in range(1, last + 1, _BITE):
            yield VisitBite(site, first, min(first + _BITE - 1, last))


_OF_BITE = "n.site_id = :site AND n.number BETWEEN :first AND :last"


def _note_tabs(db: sa.Connection, bite: VisitBite) -> None:
    """Numbers in the order in which the tabs were first heard of; our own chats belong to no tab."""
    db.execute(
        sa.text(
            "INSERT INTO noted_tab (visit, tab, id) SELECT visit,"
            " row_number() OVER (PARTITION BY visit ORDER BY heard_at, tab), tab FROM ("
            " SELECT visit, tab, min(at) AS heard_at FROM ("
            " SELECT n.number AS visit, v.tab AS tab, v.viewed_at AS at FROM numbered_visit AS n"
            " JOIN page_view AS v ON v.site_id = n.site_id AND v.visit_id = n.id"
            f" WHERE {_OF_BITE}"
            " UNION ALL SELECT n.number, s.tab, s.from_at FROM numbered_visit AS n"
            " JOIN visit_span AS s ON s.site_id = n.site_id AND s.visit_id = n.id"
            f" WHERE {_OF_BITE} AND NOT EXISTS (SELECT 1 FROM conversation AS c"
            " WHERE c.site_id = s.site_id AND c.id = s.tab AND c.visit_id = s.visit_id)"
            ") AS heard GROUP BY visit, tab) AS tabs"
        ),
        bite._asdict(),
    )
    chats = db.execute(
        sa.text(
            "SELECT DISTINCT n.number, c.id FROM numbered_visit AS n"
            " JOIN conversation AS c ON c.site_id = n.site_id AND c.visit_id = n.id"
            f" WHERE {_OF_BITE}"
        ),
        bite._asdict(),
    ).all()
    _insert(
        db,
        "INSERT INTO noted_tab (visit, tab, id) VALUES (:visit, :tab, :id) ON CONFLICT DO NOTHING",
        [{"visit": visit, "tab": chat_tab(id), "id": id} for visit, id in chats],
    )


def _move_spans(db: sa.Connection, bite: VisitBite) -> None:
    kinds = " ".join(f"WHEN '{kind}' THEN {code}" for code, kind in enumerate(_KINDS))
    db.execute(
        sa.text(
            "INSERT INTO visit_span_row"
            " (site_id, visit, tab, kind, number, is_open, from_after, length)"
            f" SELECT n.site_id, n.number, t.tab, CASE s.kind {kinds} END, s.number, s.is_open,"
            " s.from_at - n.started_at, s.until_at - s.from_at FROM numbered_visit AS n"
            " JOIN visit_span AS s ON s.site_id = n.site_id AND s.visit_id = n.id"
            " JOIN noted_tab AS t ON t.visit = n.number AND t.id = s.tab"
            f" WHERE {_OF_BITE} ORDER BY 1, 2, 3, 4, 5 ON CONFLICT DO NOTHING"
        ),
        bite._asdict(),
    )


def _note_pages(db: sa.Connection, bite: VisitBite, are_escaped: bool) -> None:
    found = db.execute(
        sa.text(
            "SELECT v.path, v.title, v.page_context, count(*) AS uses FROM numbered_visit AS n"
            " JOIN page_view AS v ON v.site_id = n.site_id AND v.visit_id = n.id"
            f" WHERE {_OF_BITE} GROUP BY v.path, v.title, v.page_context"
        ),
        bite._asdict(),
    ).all()
    uses: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    notes: list[dict[str, Any]] = []
    for stored, title, context, count in found:
        path = readable_path(stored, _LONGEST_PATH) if are_escaped else stored
        uses[path, title, context] += count
        id = page_id(path, title, context)
        notes.append({"path": stored, "title": title, "context": context, "id": id})
    _insert(
        db,
        "INSERT INTO noted_page (path, title, page_context, id)"
        " VALUES (:path, :title, :context, :id)",
        notes,
    )
    _insert(
        db,
        "INSERT INTO page (site_id, id, uses, path, title, page_context)"
        " VALUES (:site, :id, :uses, :path, :title, :context)"
        " ON CONFLICT (site_id, id) DO UPDATE SET uses = page.uses + excluded.uses",
        [
            {
                "site": bite.site,
                "id": page_id(*texts),
                "uses": count,
                **dict(zip(("path", "title", "context"), texts, strict=True)),
            }
            for texts, count in sorted(uses.items())
        ],
    )


def _move_views(db: sa.Connection, bite: VisitBite) -> None:
    db.execute(
        sa.text(
            "INSERT INTO page_view_row (site_id, visit, tab, number, viewed_after, page)"
            " SELECT n.site_id, n.number, t.tab, v.number, v.viewed_at - n.started_at, p.id"
            " FROM numbered_visit AS n"
            " JOIN page_view AS v ON v.site_id = n.site_id AND v.visit_id = n.id"
            " JOIN noted_tab AS t ON t.visit = n.number AND t.id = v.tab"
            " JOIN noted_page AS p"
            " ON p.path = v.path AND p.title = v.title AND p.page_context = v.page_context"
            f" WHERE {_OF_BITE} ORDER BY 1, 2, 3, 4"
        ),
        bite._asdict(),
    )


def _move_memories(db: sa.Connection, bite: VisitBite) -> None:
    """Of visits that may still change: of the others nothing is needed any more."""
    rows = db.execute(
        sa.text(
            "SELECT n.number, v.memory FROM numbered_visit AS n"
            " JOIN visit AS v ON v.site_id = n.site_id AND v.id = n.id"
            f" WHERE {_OF_BITE} AND v.memory <> '' AND v.last_activity_at > :since"
        ),
        {**bite._asdict(), "since": int(time() * 1000) - _LIVE_FOR},
    ).all()
    for number, memory in rows:
        known = db.execute(
            sa.text("SELECT id, tab FROM noted_tab WHERE visit = :visit AND tab > 0"),
            {"visit": number},
        )
        tabs: dict[str, int] = dict(known.tuples().all())
        text = _renumbered(memory, tabs)
        key = {"site": bite.site, "visit": number}
        db.execute(
            sa.text("INSERT INTO visit_memory VALUES (:site, :visit, :memory)"),
            {**key, "memory": text},
        )
        _insert(
            db,
            "INSERT INTO visit_tab (site_id, visit, tab, id) VALUES (:site, :visit, :tab, :id)",
            [{**key, "tab": tab, "id": id} for id, tab in tabs.items()],
        )


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


def _replace_tables(db: sa.Connection) -> None:
    if db.execute(sa.text("SELECT 1 FROM visit LIMIT 1")).first():
        _log.info("upgrade_drops_old_tables")
    for name in ("noted_tab", "noted_page"):
        db.execute(sa.text(f"DROP TABLE {name}"))
    for name in ("visit_span", "page_view", "visit"):
        op.drop_table(name)
    op.rename_table("numbered_visit", "visit")
    if db.dialect.name == "postgresql":
        op.execute("ALTER TABLE visit RENAME CONSTRAINT numbered_visit_pkey TO visit_pkey")
    op.create_index("visit_by_activity", "visit", ["site_id", "last_activity_at"])
    op.create_index("visit_by_start", "visit", ["site_id", "started_at"])
    for name, columns in (
        ("follows", ["site_id", "follows"]),
        ("visitor", ["site_id", "visitor_id", "started_at"]),
    ):
        where = sa.text(f"{columns[1]} <> ''")
        op.create_index(
            f"visit_by_{name}", "visit", columns, sqlite_where=where, postgresql_where=where
        )


def _create_views() -> None:
    kinds = " ".join(f"WHEN {code} THEN '{kind}'" for code, kind in enumerate(_KINDS))
    op.execute(
        "CREATE VIEW page_view AS SELECT v.site_id, v.id AS visit_id, r.tab, r.number,"
        " v.started_at + r.viewed_after AS viewed_at, p.path, p.title, p.page_context"
        " FROM visit AS v JOIN page_view_row AS r ON r.site_id = v.site_id AND r.visit = v.number"
        " JOIN page AS p ON p.site_id = r.site_id AND p.id = r.page"
    )
    op.execute(
        f"CREATE VIEW visit_span AS SELECT v.site_id, v.id AS visit_id, r.tab,"
        f" CASE r.kind {kinds} END AS kind, r.number, v.started_at + r.from_after AS from_at,"
        " v.started_at + r.from_after + r.length AS until_at, r.is_open"
        " FROM visit AS v JOIN visit_span_row AS r ON r.site_id = v.site_id AND r.visit = v.number"
    )
    op.execute(
        "CREATE VIEW visit_change AS SELECT v.site_id, v.id AS visit_id, r.number,"
        " v.started_at + r.changed_after AS changed_at,"
        " CASE r.kind WHEN 0 THEN 'page' WHEN 1 THEN 'attributes' WHEN 2 THEN 'cart' END AS kind,"
        " coalesce(p.path, '') AS path, coalesce(p.title, '') AS title,"
        " coalesce(p.page_context, '') AS page_context, r.told"
        " FROM visit AS v JOIN visit_change_row AS r ON r.site_id = v.site_id AND r.visit = v.number"
        " LEFT JOIN page AS p ON p.site_id = r.site_id AND p.id = r.page"
    )


def _analyze(db: sa.Connection, *tables: str) -> None:
    """On Postgres, which would else read a whole table for each bite."""
    if db.dialect.name == "postgresql":
        for table in tables:
            db.execute(sa.text(f"ANALYZE {table}"))


def _insert(db: sa.Connection, statement: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        db.execute(sa.text(statement), rows)
