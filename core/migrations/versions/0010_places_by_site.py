"""Revisions of chats are looked up by site: a feed's place is one of each site."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLES = ("conversation", "message")


def upgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"{table}_by_revision", table)
        op.create_index(f"{table}_by_revision", table, ["site_id", "revision"])


def downgrade() -> None:
    for table in _TABLES:
        op.drop_index(f"{table}_by_revision", table)
        op.create_index(f"{table}_by_revision", table, ["revision"])
