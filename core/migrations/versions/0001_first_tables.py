"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_site()
    _create_visit()
    _create_page_view()
    _create_visit_span()
    _create_counts()
    _create_collector_notes()


def downgrade() -> None:
    for table in (
        "salt",
        "collector_warning",
        "site_origin",
        "drop_count",
        "visit_count",
        "visit_span",
        "page_view",
        "visit",
        "site",
    ):
        op.drop_table(table)


def _create_site() -> None:
    op.create_table(
        "site",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("domains", sa.Text(), nullable=False),
        sa.Column("accepts_null_origin", sa.Boolean(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("tracking_enabled", sa.Boolean(), nullable=False),
        sa.Column("context_rules", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )


def _create_visit() -> None:
    op.create_table(
        "visit",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("visitor_id", sa.String(), nullable=False),
        sa.Column("follows", sa.String(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_activity_at", sa.BigInteger(), nullable=False),
        sa.Column("in_view_until", sa.BigInteger(), nullable=False),
        sa.Column("page_count", sa.Integer(), nullable=False),
        sa.Column("entry_path", sa.String(), nullable=False),
        sa.Column("current_path", sa.String(), nullable=False),
        sa.Column("current_title", sa.String(), nullable=False),
        sa.Column("page_context", sa.String(), nullable=False),
        sa.Column("referrer", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_kind", sa.String(), nullable=False),
        sa.Column("medium", sa.String(), nullable=False),
        sa.Column("campaign", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("os", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("country", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("chat_source", sa.String(), nullable=False),
        sa.Column("chat_started_at", sa.BigInteger(), nullable=True),
        sa.Column("chat_message_at", sa.BigInteger(), nullable=True),
        sa.Column("memory", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id"),
    )
    op.create_index("visit_by_activity", "visit", ["site_id", "last_activity_at"])
    op.create_index("visit_by_start", "visit", ["site_id", "started_at"])
    op.create_index(
        "visit_by_follows",
        "visit",
        ["site_id", "follows"],
        sqlite_where=sa.text("follows <> ''"),
        postgresql_where=sa.text("follows <> ''"),
    )


def _create_page_view() -> None:
    op.create_table(
        "page_view",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("tab", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("viewed_at", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("page_context", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "visit_id", "tab", "number"),
        sqlite_with_rowid=False,
    )


def _create_visit_span() -> None:
    op.create_table(
        "visit_span",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("tab", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("from_at", sa.BigInteger(), nullable=False),
        sa.Column("until_at", sa.BigInteger(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "visit_id", "tab", "kind", "number"),
    )


def _create_counts() -> None:
    op.create_table(
        "visit_count",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "starts_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "drop_count",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "starts_at", "reason"),
        sqlite_with_rowid=False,
    )


def _create_collector_notes() -> None:
    op.create_table(
        "site_origin",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "host"),
    )
    op.create_table(
        "collector_warning",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "salt",
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
