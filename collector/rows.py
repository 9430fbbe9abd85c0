"""The writer's SQL: load visits, store what changed. Compiled once, run on the plain driver.

Rows travel as tuples in the order of the columns: the ORM, and even Core's dictionaries of
parameters, cost several times as much for each row, and this is the hot path.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec.structs import asdict, astuple
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Engine,
    Text,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.sql import ClauseElement

from core.tables import JsonText, Moment, Table
from core.trail import Span, View
from core.visit import Visit
from core.visit_memory import read_memory, write_memory

TabKey = tuple[str, str]
"""A tab of a visit: (visit id, tab id)."""

_STATE = Visit.__struct_fields__[:-1]
_MOVING, _KEY = _STATE[:-2], _STATE[-2:]
_ATTRIBUTES = _STATE.index("attributes")
_MEMORY = _STATE.index("memory")
_VISIT_COLUMNS = tuple(Table.metadata.tables["visit"].c.keys())
_read_attributes = msgspec.json.Decoder(dict[str, str]).decode
_write_attributes = msgspec.json.Encoder().encode
_WRITER_LOCK = 7_226_002
"""The key of Postgres' advisory lock: one batch at a time, as SQLite has it by itself."""


class Rows:
    """The statements of the writer, for one kind of database."""

    def __init__(self, engine: Engine) -> None:
        self._dialect = _positional_dialect(engine)
        self._visits = self._compile(_select_visits(engine.dialect.name))
        self._views = self._compile(_select_views(engine.dialect.name))
        self._new_visit = self._compile(self._insert("visit"))
        self._moved_visit = self._compile(_update_visit())
        self._new_view = self._compile(self._insert("page_view").on_conflict_do_nothing())
        self._corrected_view = self._compile(_update_view())
        self._span = self._compile(self._upsert_span())
        self._count = self._compile(self.adding("visit_count", "visits"))

    def lock(self, connection: Connection) -> None:
        """Wait until no other transaction writes visits; SQLite's own lock is held already."""
        if self._dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")

    def load_visits(self, connection: Connection, site_id: int, ids: Iterable[str]) -> list[Visit]:
        """The visits of the site that have these ids, in no order."""
        parameters = (site_id, json.dumps([[visit_id] for visit_id in ids]))
        return [_visit(row) for row in _fetch(connection, self._visits, parameters)]

    def load_views(
        self, connection: Connection, site_id: int, tabs: Iterable[TabKey]
    ) -> list[tuple[str, str, int]]:
        """(visit id, tab id, number) of every stored page view of these tabs."""
        parameters = (site_id, json.dumps(list(tabs)))
        return _fetch(connection, self._views, parameters)

    def insert_visits(self, connection: Connection, visits: Iterable[Visit]) -> None:
        """Store visits that are new."""
        _run(connection, self._new_visit, [_new_row(visit) for visit in visits])

    def update_visits(self, connection: Connection, visits: Iterable[Visit]) -> None:
        """Store what has moved of visits that exist."""
        _run(connection, self._moved_visit, [_state_row(visit) for visit in visits])

    def insert_views(self, connection: Connection, views: Sequence[View]) -> None:
        """Store page views."""
        _run(connection, self._new_view, views)

    def correct_views(
        self, connection: Connection, views: Sequence[tuple[str, str, int, str, str, int]]
    ) -> None:
        """Change stored views: (title, page context, site id, visit id, tab, number)."""
        _run(connection, self._corrected_view, views)

    def extend_spans(self, connection: Connection, spans: Sequence[Span]) -> None:
        """Store spans, or the new end of those that exist."""
        _run(connection, self._span, spans)

    def add_counts(self, connection: Connection, counts: Sequence[tuple[int, int, int]]) -> None:
        """Add visits to slots: (site id, start of the slot, visits)."""
        _run(connection, self._count, counts)

    def adding(self, table: str, total: str) -> ClauseElement:
        """An insert that, where the row exists, adds to its total instead."""
        insert = self._insert(table)
        return insert.on_conflict_do_update(
            index_elements=list(Table.metadata.tables[table].primary_key),
            set_={total: Table.metadata.tables[table].c[total] + insert.excluded[total]},
        )

    def _upsert_span(self) -> ClauseElement:
        insert = self._insert("visit_span")
        return insert.on_conflict_do_update(
            index_elements=list(Table.metadata.tables["visit_span"].primary_key),
            set_={"until_at": insert.excluded.until_at, "is_open": insert.excluded.is_open},
        )

    def _insert(self, table: str) -> Any:
        module = postgresql if self._dialect.name == "postgresql" else sqlite
        return module.insert(Table.metadata.tables[table])

    def _compile(self, statement: ClauseElement) -> str:
        return str(statement.compile(dialect=self._dialect))


def _positional_dialect(engine: Engine) -> Dialect:
    """Question marks or %s: named parameters would need a dictionary for each row."""
    if engine.dialect.name == "postgresql":
        return psycopg_dialect(paramstyle="format")
    return sqlite.dialect()


def _select_visits(dialect: str) -> ClauseElement:
    visit = Table.metadata.tables["visit"]
    listed = _listed(dialect)
    return select(*(_as_stored(visit.c[name]) for name in _STATE)).where(
        visit.c.site_id == bindparam("site_id"),
        visit.c.id.in_(select(_item(listed, 0))),
    )


def _select_views(dialect: str) -> ClauseElement:
    view = Table.metadata.tables["page_view"]
    listed = _listed(dialect)
    return select(view.c.visit_id, view.c.tab, view.c.number).where(
        view.c.site_id == bindparam("site_id"),
        tuple_(view.c.visit_id, view.c.tab).in_(select(_item(listed, 0), _item(listed, 1))),
    )


def _listed(dialect: str) -> Any:
    """A JSON list of lists as a table: one statement looks up any number of keys.

    It stands behind IN, not in a join: SQLite would scan the list once for each visit of the site.
    """
    if dialect == "postgresql":
        elements = func.json_array_elements(cast(bindparam("keys", type_=Text), JSON))
    else:
        elements = func.json_each(bindparam("keys", type_=Text))
    return elements.table_valued(column("value", Text), name="listed")


def _item(listed: Any, position: int) -> ColumnElement[str]:
    return listed.c.value.op("->>")(literal_column(str(position)))


def _as_stored(stored: Column[Any]) -> Any:
    """The column without the conversions to datetimes and JSON values."""
    if isinstance(stored.type, Moment):
        return type_coerce(stored, BigInteger)
    return type_coerce(stored, Text) if isinstance(stored.type, JsonText) else stored


def _update_visit() -> ClauseElement:
    visit = Table.metadata.tables["visit"]
    return (
        update(visit)
        .values({name: bindparam(f"new_{name}", type_=visit.c[name].type) for name in _MOVING})
        .where(visit.c.site_id == bindparam("of_site"), visit.c.id == bindparam("of_id"))
    )


def _update_view() -> ClauseElement:
    view = Table.metadata.tables["page_view"]
    return (
        update(view)
        .values(title=bindparam("new_title"), page_context=bindparam("new_context"))
        .where(
            view.c.site_id == bindparam("of_site"),
            view.c.visit_id == bindparam("of_visit"),
            view.c.tab == bindparam("of_tab"),
            view.c.number == bindparam("of_number"),
        )
    )


def _visit(row: tuple[Any, ...]) -> Visit:
    visit = Visit(*row)
    visit.attributes = _read_attributes(row[_ATTRIBUTES])
    visit.memory = read_memory(row[_MEMORY])
    return visit


def _state_row(visit: Visit) -> list[Any]:
    *row, _entry = astuple(visit)
    row[_ATTRIBUTES] = _write_attributes(visit.attributes).decode()
    row[_MEMORY] = write_memory(visit.memory)
    return row


def _new_row(visit: Visit) -> list[Any]:
    if visit.entry is None:
        raise ValueError("a visit that is stored already is new no more")
    state = zip(_STATE, _state_row(visit), strict=True)
    entry = {"entry_path": visit.entry.path, "follows": visit.entry.follows}
    columns = asdict(visit.entry.opening) | entry | dict(state)
    return [columns[name] for name in _VISIT_COLUMNS]


def _fetch(connection: Connection, statement: str, parameters: tuple[Any, ...]) -> list[Any]:
    """The driver's own rows: making SQLAlchemy's of them costs as much as reading them."""
    with connection.exec_driver_sql(statement, parameters) as result:
        return list(result.cursor.fetchall()) if result.cursor is not None else []


def _run(connection: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        connection.exec_driver_sql(statement, [tuple(row) for row in rows])
