"""Counts of whole days, by which trends are quick and outlive the visits; the steps of each site's funnel."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_NUMBERS = ("visits", "page_views", "one_page_visits")


def upgrade() -> None:
    op.create_table(
        "trend_site",
        _column("site_id", sa.Integer()),
        _column("counted_until", sa.BigInteger()),
        _column("counted_before", sa.BigInteger()),
        _column("thinned_day", sa.Integer()),
        _column("thinned_until", sa.BigInteger()),
        _column("time_zone", sa.String()),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.create_table(
        "trend_count",
        _column("site_id", sa.Integer()),
        _column("day", sa.Integer()),
        _column("dimension", sa.String()),
        _column("value", sa.String()),
        *(_column(name, sa.Integer()) for name in _NUMBERS),
        _column("seconds", sa.BigInteger()),
        sa.PrimaryKeyConstraint("site_id", "day", "dimension", "value"),
        sqlite_with_rowid=False,
    )
    op.add_column(
        "site", sa.Column("funnel_steps", sa.Text(), nullable=False, server_default=sa.text("'[]'"))
    )


def downgrade() -> None:
    op.drop_column("site", "funnel_steps")
    op.drop_table("trend_count")
    op.drop_table("trend_site")


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
