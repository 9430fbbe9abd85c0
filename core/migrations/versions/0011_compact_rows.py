"""Visits have numbers, by which page views and spans name them; what pages say of themselves is stored once.

`page_view` and `visit_span` are views from here on, on rows of a fifth of their size. `prepare` moves what it can
before, in bites: `core/migrations/visit_move.py`.
"""

# ruff: noqa: S608 (statements are made of the names below and above only)
from __future__ import annotations

import logging

import sqlalchemy as sa
from alembic import op

from core.migrations.changed_visits import unwatch
from core.migrations.row_tables import OLD_SPAN, OLD_VIEW, ROWS, create_table
from core.migrations.visit_bite import SPAN_KINDS
from core.migrations.visit_move import move_in_bites, move_rest

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

prepare = move_in_bites
"""What is done before the transaction of all migrations, in transactions of its own."""

_log = logging.getLogger("core.upgrade")


def upgrade() -> None:
    db = op.get_bind()
    move_rest(db)
    _replace_tables(db)
    _create_views()


def downgrade() -> None:
    """What identifies tabs is kept only of visits that may still change: others get their ordinals."""
    db = op.get_bind()
    for name, columns in (("page_view", OLD_VIEW), ("visit_span", OLD_SPAN)):
        create_table(db, f"old_{name}", columns, keys=0, with_rowid=True)
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
    for name, columns, keys in (("page_view", OLD_VIEW, 4), ("visit_span", OLD_SPAN, 5)):
        create_table(db, name, columns, keys, with_rowid=name == "visit_span")
        listed = ", ".join(column for column, _ in columns)
        op.execute(f"INSERT INTO {name} ({listed}) SELECT {listed} FROM old_{name}")
        op.drop_table(f"old_{name}")
    for name in ROWS:
        op.drop_table(name)
    op.drop_index("visit_by_number", "visit")
    op.drop_column("visit", "number")
    op.add_column(
        "visit", sa.Column("memory", sa.Text(), nullable=False, server_default=sa.text("''"))
    )


def _replace_tables(db: sa.Connection) -> None:
    if db.execute(sa.text("SELECT 1 FROM visit LIMIT 1")).first():
        _log.info("upgrade_drops_old_tables")
    unwatch(db)
    _drop_old(db)
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


def _drop_old(db: sa.Connection) -> None:
    """On SQLite without overwriting them: that would put all of their pages into the log. What `core/upgrade.py`
    gives back to the disk afterwards is these pages."""
    is_sqlite = db.dialect.name == "sqlite"
    if is_sqlite:
        op.execute("PRAGMA secure_delete=FAST")
    for name in ("visit_span", "page_view", "visit"):
        op.drop_table(name)
    if is_sqlite:
        op.execute("PRAGMA secure_delete=ON")


def _create_views() -> None:
    kinds = " ".join(f"WHEN {code} THEN '{kind}'" for code, kind in enumerate(SPAN_KINDS))
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
