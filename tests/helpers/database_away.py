"""A database that gives no answer for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

from core.database import writing
from core.tables import Table


@contextmanager
def database_away(engine: Engine, *tables: str) -> Iterator[None]:
    """While it lasts, every question fails, or those to the given tables; in every process."""
    tables = tables or tuple(Table.metadata.tables)
    _rename(engine, {name: f"{name}_away" for name in tables})
    try:
        yield
    finally:
        _rename(engine, {f"{name}_away": name for name in tables})


def _rename(engine: Engine, names: dict[str, str]) -> None:
    with writing(engine) as db:
        for before, after in names.items():
            db.execute(text(f"ALTER TABLE {before} RENAME TO {after}"))
