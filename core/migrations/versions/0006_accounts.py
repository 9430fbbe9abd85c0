"""Accounts: agents who can sign in, their sessions and links, and what signs the cookies."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_HAS_EMAIL = sa.text("email <> ''")
_COLUMNS = ("email", "role", "password", "subject")


def upgrade() -> None:
    for name in _COLUMNS:
        _add(name, sa.String(), "''")
    _add("is_limited", sa.Boolean(), "false")
    op.create_index(
        "agent_by_email",
        "agent",
        ["email"],
        unique=True,
        sqlite_where=_HAS_EMAIL,
        postgresql_where=_HAS_EMAIL,
    )
    op.create_table(
        "agent_site",
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("agent_id", "site_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("way", sa.String(), nullable=False),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("session_by_agent", "session", ["agent_id"])
    op.create_table(
        "sign_in_link",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("agent_id"),
    )
    op.create_table(
        "secret",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def downgrade() -> None:
    for table in ("secret", "sign_in_link", "session", "agent_site"):
        op.drop_table(table)
    op.drop_index("agent_by_email", "agent")
    for name in (*_COLUMNS, "is_limited"):
        op.drop_column("agent", name)


def _add(name: str, kind: sa.types.TypeEngine[Any], value: str) -> None:
    """A column of agents that exist already: the value is for those, new ones are written with their own."""
    column = sa.Column(name, kind, nullable=False, server_default=sa.text(value))
    op.add_column("agent", column)
