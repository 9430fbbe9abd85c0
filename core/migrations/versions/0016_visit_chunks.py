"""Visits that are over, once more as columns; the collector fills them by and by.

A collector or dashboard of the version before would delete visits and leave them in there. So a column is renamed that it reads
before it writes anything of a visit: it answers 503 until it is started anew.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NUMBERS = ("visits", "views")
_MOMENTS = ("first_began", "last_began")
_BYTES = ("of_visits", "of_views")


def upgrade() -> None:
    op.create_table(
        "visit_chunk",
        _column("site_id", sa.Integer()),
        _column("since", sa.BigInteger()),
        *(_column(name, sa.Integer()) for name in _NUMBERS),
        *(_column(name, sa.BigInteger()) for name in _MOMENTS),
        *(_column(name, sa.LargeBinary()) for name in _BYTES),
        sa.PrimaryKeyConstraint("site_id", "since"),
    )
    op.add_column(
        "trend_site",
        sa.Column("chunked_until", sa.BigInteger(), nullable=False, server_default=sa.text("0")),
    )
    op.alter_column("visit_edit", "edited", new_column_name="edited_visits")


def downgrade() -> None:
    op.alter_column("visit_edit", "edited_visits", new_column_name="edited")
    op.drop_column("trend_site", "chunked_until")
    op.drop_table("visit_chunk")


def _column(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)
