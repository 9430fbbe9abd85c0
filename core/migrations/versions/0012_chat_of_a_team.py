"""What a team needs in the chat: handed over, noted, blocked, rated, done; how a site's dialog looks; notices."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_INT, _BIG, _STRING, _TEXT, _BOOL = (
    sa.Integer(),
    sa.BigInteger(),
    sa.String(),
    sa.Text(),
    sa.Boolean(),
)
_CONVERSATION: tuple[tuple[str, sa.types.TypeEngine[Any], str | None], ...] = (
    ("email", _STRING, "''"),
    ("vacated_at", _BIG, None),
    ("given_at", _BIG, None),
    ("gone_at", _BIG, None),
    ("note_count", _INT, "0"),
    ("done_at", _BIG, None),
    ("done_by", _INT, "0"),
    ("rating", _STRING, "''"),
    ("rating_text", _TEXT, "''"),
)
"""Name, type and value of rows that exist already; None: NULL."""

TableColumns = tuple[tuple[str, sa.types.TypeEngine[Any]], ...]

_TABLES: dict[str, tuple[TableColumns, int]] = {
    "conversation_note": (
        (
            ("site_id", _INT),
            ("conversation_id", _STRING),
            ("number", _INT),
            ("agent_id", _INT),
            ("client_id", _STRING),
            ("text", _TEXT),
            ("written_at", _BIG),
        ),
        3,
    ),
    "chat_block": (
        (
            ("site_id", _INT),
            ("id", _STRING),
            ("visit_id", _STRING),
            ("visitor_id", _STRING),
            ("visitor", _STRING),
            ("agent_id", _INT),
            ("blocked_at", _BIG),
        ),
        2,
    ),
    "chat_look": (
        (
            ("site_id", _INT),
            *((name, _STRING) for name in ("title", "greeting", "colour", "corner")),
            ("words", _TEXT),
            ("email", _STRING),
            ("hours", _TEXT),
            ("asks_rating", _BOOL),
        ),
        1,
    ),
    "agent_notices": (
        (
            ("agent_id", _INT),
            ("kinds", _TEXT),
            *((name, _INT) for name in ("minutes", "quiet_from", "quiet_until")),
            ("time_zone", _STRING),
        ),
        1,
    ),
    "notice_address": (
        (
            ("site_id", _INT),
            ("id", _STRING),
            ("url", _STRING),
            ("kinds", _TEXT),
            ("minutes", _INT),
            ("with_words", _BOOL),
            ("is_enabled", _BOOL),
            ("created_at", _BIG),
            ("told_at", _BIG),
            ("fault", _STRING),
            ("fault_at", _BIG),
        ),
        2,
    ),
    "notice": (
        (
            ("site_id", _INT),
            ("id", _STRING),
            ("kind", _STRING),
            ("minutes", _INT),
            ("visit_id", _STRING),
            ("conversation_id", _STRING),
            ("happened_at", _BIG),
            ("revision", _BIG),
        ),
        2,
    ),
    "notice_delivery": (
        (
            ("site_id", _INT),
            ("notice_id", _STRING),
            ("address_id", _STRING),
            ("due_at", _BIG),
            ("attempts", _INT),
            ("is_given_up", _BOOL),
        ),
        3,
    ),
}
"""Columns, and how many of them are the key."""

_NULLABLE = {"told_at", "fault_at"}


def upgrade() -> None:
    for name, kind, value in _CONVERSATION:
        default = None if value is None else sa.text(value)
        op.add_column(
            "conversation", sa.Column(name, kind, nullable=value is None, server_default=default)
        )
    # What agents have read of what was left is no longer in their lists: it was seen to.
    op.execute(
        "UPDATE conversation SET done_at = closed_at WHERE state = 'left' AND agent_read > 0"
    )
    op.drop_index("conversation_by_state", "conversation")
    op.create_index("conversation_by_state", "conversation", ["state", "site_id", "done_at"])
    for table, (columns, keys) in _TABLES.items():
        made = [sa.Column(name, kind, nullable=name in _NULLABLE) for name, kind in columns]
        key = sa.PrimaryKeyConstraint(*(name for name, _ in columns[:keys]))
        op.create_table(table, *made, key)
    op.create_index("chat_block_by_visit", "chat_block", ["site_id", "visit_id"])
    op.create_index("chat_block_by_visitor", "chat_block", ["site_id", "visitor_id"])
    op.create_index("conversation_note_by_time", "conversation_note", ["site_id", "written_at"])
    op.create_index("notice_by_revision", "notice", ["site_id", "revision"], unique=True)
    op.create_index("notice_by_time", "notice", ["site_id", "happened_at"])
    op.create_index("notice_by_visit", "notice", ["site_id", "visit_id"])
    op.create_index(
        "notice_delivery_due",
        "notice_delivery",
        ["due_at"],
        sqlite_where=sa.text("is_given_up = 0"),
        postgresql_where=sa.text("NOT is_given_up"),
    )


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.drop_index("conversation_by_state", "conversation")
    op.create_index("conversation_by_state", "conversation", ["state", "site_id", "agent_read"])
    for name, _, _ in reversed(_CONVERSATION):
        op.drop_column("conversation", name)
