"""The visits that were live at a past moment are found along indexes, and more is told of what they were then."""

# ruff: noqa: S608 (the statement is made of the names below only)
from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_KINDS = ("page", "attributes", "cart", "country", "shown")
_BEFORE = _KINDS[:3]
_LONG = {"visit_long": 3_600_000, "visit_very_long": 28_800_000}


def upgrade() -> None:
    for name, length in _LONG.items():
        where = sa.text(f"last_activity_at - started_at >= {length}")
        op.create_index(
            name, "visit", ["site_id", "started_at"], sqlite_where=where, postgresql_where=where
        )
    _set_view(_KINDS)


def downgrade() -> None:
    """What a view was shown with is a page again, as before; when a country became known is not told any more."""
    op.execute("UPDATE visit_change_row SET kind = 0 WHERE kind = 4")
    op.execute("DELETE FROM visit_change_row WHERE kind = 3")
    _set_view(_BEFORE)
    for name in _LONG:
        op.drop_index(name, "visit")


def _set_view(kinds: tuple[str, ...]) -> None:
    """On Postgres it stays the same view: who was granted it keeps it, and views that others have made of it stay."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:  # which replaces none
        op.execute("DROP VIEW visit_change")
    op.execute(
        f"CREATE {'VIEW' if is_sqlite else 'OR REPLACE VIEW'} visit_change AS {_view(kinds)}"
    )


def _view(kinds: tuple[str, ...]) -> str:
    names = " ".join(f"WHEN {code} THEN '{kind}'" for code, kind in enumerate(kinds))
    return (
        "SELECT v.site_id, v.id AS visit_id, r.number,"
        " v.started_at + r.changed_after AS changed_at,"
        f" CASE r.kind {names} END AS kind,"
        " coalesce(p.path, '') AS path, coalesce(p.title, '') AS title,"
        " coalesce(p.page_context, '') AS page_context, r.told"
        " FROM visit AS v JOIN visit_change_row AS r ON r.site_id = v.site_id AND r.visit = v.number"
        " LEFT JOIN page AS p ON p.site_id = r.site_id AND p.id = r.page"
    )
