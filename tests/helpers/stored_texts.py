"""What somebody reads who has a copy of the database."""

from __future__ import annotations

from sqlalchemy import Engine, select

from core.database import reading
from core.tables import Table


def every_text(engine: Engine, *tables: str) -> set[str]:
    """Every text in a row of these tables but the empty one."""
    with reading(engine) as db:
        rows = [row for name in tables for row in db.execute(select(Table.metadata.tables[name]))]
    return {value for row in rows for value in row if isinstance(value, str) and value}
