"""Own visits and query keys of a site, backups, what housekeeping has done, how a collector is.

Agents' secrets are stored hashed from here on. A downgrade cannot bring them back: agents without an account
are then asked for their name anew.
"""

from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _add("site", "own_networks", sa.Text(), "'[]'")
    _add("site", "query_keys", sa.Text(), "'[]'")
    _add("collector", "queued", sa.Integer(), "0")
    _add("collector", "commit_ms", sa.Integer(), "0")
    op.add_column("collector", sa.Column("reader_since", sa.BigInteger(), nullable=True))
    op.create_table(
        "backup",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "chore_run",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("ran_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    _hash_secrets()


def downgrade() -> None:
    op.drop_table("chore_run")
    op.drop_table("backup")
    for name in ("reader_since", "commit_ms", "queued"):
        op.drop_column("collector", name)
    for name in ("query_keys", "own_networks"):
        op.drop_column("site", name)


def _hash_secrets() -> None:
    """The browsers that have the secrets stay their agents'."""
    connection = op.get_bind()
    agents = connection.execute(sa.text("SELECT id, key FROM agent")).all()
    for id, key in agents:
        connection.execute(
            sa.text("UPDATE agent SET key = :hashed WHERE id = :id"),
            {"hashed": sha256(key.encode()).hexdigest(), "id": id},
        )


def _add(table: str, name: str, kind: sa.types.TypeEngine[Any], value: str) -> None:
    """A column of rows that exist already: the value is for those, new ones are written with their own."""
    op.add_column(table, sa.Column(name, kind, nullable=False, server_default=sa.text(value)))
