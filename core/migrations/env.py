"""Alembic's entry: runs the migrations on the connection that `core.schema` hands over."""

from typing import Any, Literal

from alembic import context
from sqlmodel import AutoString

from core.tables import JsonText, Moment, Table


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """How autogenerate writes our column types: as the plain types that they are stored as."""
    if kind != "type":
        return False
    if isinstance(item, AutoString):
        return "sa.String()"
    if isinstance(item, Moment):
        return "sa.BigInteger()"
    if isinstance(item, JsonText):
        return "sa.Text()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_item=render_item,
    transactional_ddl=False,
)
context.run_migrations()
