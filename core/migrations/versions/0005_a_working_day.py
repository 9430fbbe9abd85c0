"""A cart's worth, returning visitors, the collector's heartbeat, what has changed, removed sites."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_IS_REMEMBERED = sa.text("visitor_id <> ''")


def upgrade() -> None:
    op.add_column("site", sa.Column("removed_at", sa.BigInteger(), nullable=True))
    _add("visit", "cart_value", sa.Float(), "0")
    _add("visit", "cart_currency", sa.String(), "''")
    _add("visit", "visit_number", sa.Integer(), "0")
    op.create_index(
        "visit_by_visitor",
        "visit",
        ["site_id", "visitor_id", "started_at"],
        sqlite_where=_IS_REMEMBERED,
        postgresql_where=_IS_REMEMBERED,
    )
    op.create_table(
        "site_change",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.create_table(
        "collector",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    op.drop_table("collector")
    op.drop_table("site_change")
    op.drop_index("visit_by_visitor", "visit")
    for name in ("visit_number", "cart_currency", "cart_value"):
        op.drop_column("visit", name)
    op.drop_column("site", "removed_at")


def _add(table: str, name: str, kind: sa.types.TypeEngine[Any], value: str) -> None:
    """A column of rows that exist already: the value is for those, new ones are written with their own."""
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=sa.text(value)))
