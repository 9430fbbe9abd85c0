"""Paths as people read them: the rules at once, the paths of visits by the running collector."""

import json

import sqlalchemy as sa
from alembic import op

from core.enrich.page_context import LONGEST_PATTERN
from core.enrich.readable_path import readable_path

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    backlog = op.create_table(
        "backlog",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    # Of millions of visits it takes long: 0011 does it.
    op.bulk_insert(backlog, [{"name": "readable_paths", "position": ""}])
    _make_rules_readable()


def downgrade() -> None:
    op.drop_table("backlog")


def _make_rules_readable() -> None:
    connection = op.get_bind()
    sites = connection.execute(sa.text("SELECT id, context_rules FROM site")).all()
    for site_id, stored in sites:
        rules = json.loads(stored)
        for rule in rules:
            rule["pattern"] = readable_path(rule["pattern"], LONGEST_PATTERN)
        changed = json.dumps(rules, ensure_ascii=False, separators=(",", ":"))
        connection.execute(
            sa.text("UPDATE site SET context_rules = :rules WHERE id = :id"),
            {"rules": changed, "id": site_id},
        )
