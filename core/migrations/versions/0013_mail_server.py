"""A site's own mail server, and the answers to left messages that go by it."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INT, _BIG, _STRING = sa.Integer(), sa.BigInteger(), sa.String()


def upgrade() -> None:
    op.create_table(
        "mail_server",
        sa.Column("site_id", _INT, nullable=False),
        sa.Column("host", _STRING, nullable=False),
        sa.Column("port", _INT, nullable=False),
        sa.Column("security", _STRING, nullable=False),
        sa.Column("username", _STRING, nullable=False),
        sa.Column("password", _STRING, nullable=False),
        sa.Column("from_address", _STRING, nullable=False),
        sa.Column("from_name", _STRING, nullable=False),
        sa.Column("tested_at", _BIG, nullable=True),
        sa.Column("fault", _STRING, nullable=False),
        sa.Column("fault_at", _BIG, nullable=True),
        sa.PrimaryKeyConstraint("site_id"),
    )
    op.create_table(
        "mail_answer",
        sa.Column("site_id", _INT, nullable=False),
        sa.Column("conversation_id", _STRING, nullable=False),
        sa.Column("number", _INT, nullable=False),
        sa.Column("message_id", _STRING, nullable=False),
        sa.Column("asked_at", _BIG, nullable=False),
        sa.Column("due_at", _BIG, nullable=True),
        sa.Column("attempts", _INT, nullable=False),
        sa.Column("sent_at", _BIG, nullable=True),
        sa.Column("fault", _STRING, nullable=False),
        sa.PrimaryKeyConstraint("site_id", "conversation_id", "number"),
    )
    op.create_index(
        "mail_answer_due",
        "mail_answer",
        ["due_at"],
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(
        "mail_answer_not_sent",
        "mail_answer",
        ["site_id"],
        sqlite_where=sa.text("due_at IS NULL AND sent_at IS NULL"),
        postgresql_where=sa.text("due_at IS NULL AND sent_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("mail_answer")
    op.drop_table("mail_server")
