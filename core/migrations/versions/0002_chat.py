"""The chat: agents, conversations, messages, templates and rules; a site's chat button."""

import sqlalchemy as sa
from alembic import op

from core.migrations.changed_visits import watch_new

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("state IN ('queued', 'delivered', 'shown', 'open')")


def upgrade() -> None:
    op.add_column(
        "site", sa.Column("chat_button", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _create_agent()
    _create_conversation()
    watch_new(op.get_bind(), "conversation")
    _create_message()
    _create_settings()


def downgrade() -> None:
    for table in ("chat_rule", "chat_template", "message", "conversation", "agent"):
        op.drop_table(table)
    op.drop_column("site", "chat_button")


def _create_agent() -> None:
    op.create_table(
        "agent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("is_available", sa.Boolean(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
    )


def _create_conversation() -> None:
    op.create_table(
        "conversation",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("visit_id", sa.String(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("tab", sa.String(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("rule_id", sa.String(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("shown_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=False),
        sa.Column("message_at", sa.BigInteger(), nullable=True),
        sa.Column("waiting_since", sa.BigInteger(), nullable=True),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("agent_read", sa.Integer(), nullable=False),
        sa.Column("visitor_read", sa.Integer(), nullable=False),
        sa.Column("agent_typing_at", sa.BigInteger(), nullable=True),
        sa.Column("visitor_typing_at", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id"),
    )
    index = op.create_index
    index("conversation_by_visit", "conversation", ["site_id", "visit_id", "created_at"])
    index(
        "conversation_open",
        "conversation",
        ["site_id", "visit_id"],
        unique=True,
        sqlite_where=_IS_OPEN,
        postgresql_where=_IS_OPEN,
    )
    index("conversation_by_state", "conversation", ["state", "site_id", "agent_read"])
    index("conversation_by_token", "conversation", ["site_id", "token"], unique=True)
    index("conversation_by_revision", "conversation", ["revision"])
    index("conversation_by_creation", "conversation", ["site_id", "created_at"])


def _create_message() -> None:
    op.create_table(
        "message",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("agent_id", sa.Integer(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "conversation_id", "number"),
    )
    of_conversation = ["site_id", "conversation_id", "client_id"]
    op.create_index("message_by_client", "message", of_conversation, unique=True)
    op.create_index("message_by_revision", "message", ["revision"])
    op.create_index("message_by_time", "message", ["site_id", "sent_at"])


def _create_settings() -> None:
    op.create_table(
        "chat_template",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id"),
    )
    op.create_table(
        "chat_rule",
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("page_context", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("daily_cap", sa.Integer(), nullable=False),
        sa.Column("quiet_from", sa.Integer(), nullable=False),
        sa.Column("quiet_until", sa.Integer(), nullable=False),
        sa.Column("shown_count", sa.Integer(), nullable=False),
        sa.Column("accepted_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("site_id", "id"),
    )
