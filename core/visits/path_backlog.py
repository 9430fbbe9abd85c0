"""Paths that earlier versions stored as browsers send them (`/%D0%BA...`), made readable bite by bite.

The migration leaves a row in `backlog`: a database of millions of visits is read while the collector
runs, and none of its transactions is long. What the work has done stays done, whoever goes on with it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, select, tuple_, update
from sqlalchemy import Table as SchemaTable

from core.enrich.readable_path import readable_path
from core.enrich.text import LONGEST_PATH
from core.locks import TAKE_WITHIN, take_sites
from core.tables import Table
from core.visits.tab_state import read_memory, write_memory
from core.visits.visit_edits import note_all_edited

_NAME = "readable_paths"


def make_some_paths_readable(connection: Connection, visits: int) -> bool:
    """Read the next so many visits and their page views; whether there may be more of them.

    Where somebody else writes visits of the same sites for longer, nothing is done.
    """
    backlog = _table("backlog")
    is_ours = backlog.c.name == _NAME
    position = connection.execute(select(backlog.c.position).where(is_ours)).scalar()
    if position is None:
        return False
    sites = {row.site_id for row in _next_keys(connection, position, visits)}
    if take_sites(connection, sites, TAKE_WITHIN) != sites:
        return True
    keys = _next_visits(connection, position, visits, sites)
    if len(keys) < visits:
        connection.execute(delete(backlog).where(is_ours))
        return False
    position = f"{keys[-1][0]} {keys[-1][1]}"
    connection.execute(update(backlog).where(is_ours).values(position=position))
    return True


def _next_keys(connection: Connection, position: str, count: int) -> Sequence[Row[Any]]:
    """The keys of the visits behind the position."""
    visit = _table("visit")
    return connection.execute(_behind(position, visit.c.site_id, visit.c.id).limit(count)).all()


def _behind(position: str, *columns: Any) -> Select[*tuple[Any, ...]]:
    visit = _table("visit")
    site_id, _, visit_id = position.partition(" ")
    return (
        select(*columns)
        .where(tuple_(visit.c.site_id, visit.c.id) > tuple_(int(site_id or 0), visit_id))
        .order_by(visit.c.site_id, visit.c.id)
    )


def _next_visits(
    connection: Connection, position: str, count: int, sites: Collection[int]
) -> list[tuple[int, str]]:
    """The keys of these sites' visits behind the position, now with readable paths."""
    visit = _table("visit")
    rows = connection.execute(
        _behind(
            position,
            visit.c.site_id,
            visit.c.id,
            visit.c.entry_path,
            visit.c.current_path,
            visit.c.memory,
        )
        .where(visit.c.site_id.in_(sites))
        .limit(count)
    ).all()
    for row in rows:
        columns = {
            "entry_path": readable_path(row.entry_path, LONGEST_PATH),
            "current_path": readable_path(row.current_path, LONGEST_PATH),
            "memory": _readable_memory(row.memory),
        }
        if columns != {name: getattr(row, name) for name in columns}:
            is_it = (visit.c.site_id == row.site_id, visit.c.id == row.id)
            connection.execute(update(visit).where(*is_it).values(columns))
    keys = [(row.site_id, row.id) for row in rows]
    note_all_edited(connection, (row.site_id for row in rows))
    _read_views(connection, keys)
    return keys


def _read_views(connection: Connection, visits: list[tuple[int, str]]) -> None:
    view = _table("page_view")
    key = list(view.primary_key)
    rows = connection.execute(
        select(*key, view.c.path).where(
            tuple_(view.c.site_id, view.c.visit_id).in_(visits),
            view.c.path.contains("%", autoescape=True),
        )
    ).all()
    changes: list[dict[str, Any]] = [
        {
            "new_path": path,
            **{f"of_{column.name}": part for column, part in zip(key, row, strict=False)},
        }
        for row in rows
        if (path := readable_path(row.path, LONGEST_PATH)) != row.path
    ]
    if changes:
        is_it = (column == bindparam(f"of_{column.name}") for column in key)
        statement = update(view).where(*is_it).values(path=bindparam("new_path"))
        connection.execute(statement, changes)


def _readable_memory(text: str) -> str:
    if "%" not in text:
        return text
    memory = read_memory(text)
    for tab in memory.tabs.values():
        tab.path = readable_path(tab.path, LONGEST_PATH)
    return write_memory(memory)


def _table(name: str) -> SchemaTable:
    return Table.metadata.tables[name]
