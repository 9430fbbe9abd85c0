"""Where people may share a visit, each tab may have an open conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("state IN ('queued', 'delivered', 'shown', 'open')")


def upgrade() -> None:
    _index(["site_id", "visit_id", "tab"])


def downgrade() -> None:
    _index(["site_id", "visit_id"])


def _index(columns: list[str]) -> None:
    op.drop_index("conversation_open", "conversation")
    op.create_index(
        "conversation_open",
        "conversation",
        columns,
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
