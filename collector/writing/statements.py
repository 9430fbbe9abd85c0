"""The writer's SQL: load visits, store what changed. Compiled once, run on the plain driver.

The driver gives up Python's lock at each step of a statement and takes it back from an event loop
that is busy: row by row, that costs more than the rows themselves. So rows are loaded as one JSON
list, and stored many in one statement. Rows are tuples in the order of the table's columns.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec
from msgspec.structs import asdict, astuple
from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    text,
    tuple_,
)
from sqlalchemy import Table as SchemaTable
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.sql import ClauseElement

from collector.writing.stored_rows import StoredRows
from core.tables import Table
from core.visits.hit import Opening
from core.visits.memories import lost_memory
from core.visits.tab_state import read_memory, write_memory
from core.visits.tracked_visit import Entry, TrackedVisit
from core.visits.visit_rows import VisitRows

TabKey = tuple[int, str]
"""A tab of a visit: (the visit's number, the tab's id)."""

_FIELDS = TrackedVisit.__struct_fields__[:-1]
_MEMORY = _FIELDS.index("memory")
_STATE = [name for name in _FIELDS if name != "memory"]
_KEY = ("site_id", "id", "number")
_MOVING = [name for name in _STATE if name not in _KEY]
_ATTRIBUTES = _FIELDS.index("attributes")
_ENTRY = [column.name for column in Table.metadata.tables["visit"].c if column.name not in _STATE]
_NO_ENTRY = [asdict(Opening()).get(name, "") for name in _ENTRY]
"""Of a visit that is stored already: never written, but each of its column's type."""
_in_order = itemgetter(*map([*_STATE, *_ENTRY].index, Table.metadata.tables["visit"].c.keys()))
_IS_REMEMBERED = text("visitor_id <> ''")
"""The condition of the partial index, word for word, so that both databases use it."""
NEWEST_VISITS = 8
"""Of a visitor, among which the number of the last one is looked for."""
AT_ONCE = (30, 5, 1)
"""Rows that one statement stores: with at most 999 parameters, the limit of old SQLites."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[list[Any]]).decode
_read_attributes = msgspec.json.Decoder(dict[str, str]).decode


class Upsert:
    """One kind of row to store: a statement for each of the sizes in AT_ONCE."""

    def __init__(
        self, rows: Statements, table: str, moving: Sequence[str] = (), total: str = ""
    ) -> None:
        self._statements = [
            (size, rows.compile(rows.insert(table, size, moving, total))) for size in AT_ONCE
        ]

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Upsert the rows, most of them in large statements."""
        done = 0
        for size, statement in self._statements:
            until = len(rows) - (len(rows) - done) % size
            starts = range(done, until, size)
            many = [tuple(chain.from_iterable(rows[at : at + size])) for at in starts]
            if many:
                connection.exec_driver_sql(statement, many)
            done = until


class Statements:
    """The statements of the writer, for one kind of database."""

    def __init__(self, engine: Engine) -> None:
        self._is_postgres = engine.dialect.name == "postgresql"
        self._load_visits = self.compile(self._select_visits())
        self._load_tabs = self.compile(self._select_tabs())
        self._load_views = self.compile(self._select_views())
        self._load_numbers = self.compile(self._select_numbers())
        self._entries = self.compile(_move_entries())
        self._visits = Upsert(self, "visit", moving=_MOVING)
        self._memories = Upsert(self, "visit_memory", moving=["memory"])
        self._tabs = Upsert(self, "visit_tab")
        self._pages = Upsert(self, "page", total="uses")
        self._views = Upsert(self, "page_view_row")
        self._spans = Upsert(self, "visit_span_row", moving=["is_open", "length"])
        self._changes = Upsert(self, "visit_change_row")
        self._counts = Upsert(self, "visit_count", total="visits")

    def load_visits(
        self, connection: Connection, site_id: int, ids: Iterable[str]
    ) -> list[TrackedVisit]:
        """The visits of the site that have these ids, in no order."""
        keys = [(visit_id,) for visit_id in ids]
        rows = _fetch(connection, self._load_visits, site_id, keys)
        return [_visit(row, connection) for row in rows]

    def load_tabs(
        self, connection: Connection, site_id: int, tabs: Iterable[TabKey]
    ) -> list[tuple[int, str, int]]:
        """(visit, tab id, ordinal) of those of these tabs that are stored."""
        rows = _fetch(connection, self._load_tabs, site_id, list(tabs))
        return [(visit, tab_id, ordinal) for visit, tab_id, ordinal in rows]

    def load_views(
        self, connection: Connection, site_id: int, tabs: Iterable[tuple[int, int]]
    ) -> list[tuple[int, int, int]]:
        """(visit, tab, number) of every stored page view of these tabs: (visit, tab), by their numbers."""
        rows = _fetch(connection, self._load_views, site_id, list(tabs))
        return [(visit, tab, number) for visit, tab, number in rows]

    def load_visit_numbers(
        self, connection: Connection, site_id: int, visitors: Iterable[str]
    ) -> dict[str, int]:
        """How many visits each of these visitors has made, by their id; 0 for a new one."""
        keys = [(visitor,) for visitor in visitors]
        rows = _fetch(connection, self._load_numbers, site_id, keys)
        return {visitor: number or 0 for visitor, number in rows}

    def store_visits(self, connection: Connection, visits: Iterable[TrackedVisit]) -> None:
        """Insert new visits, which have numbers, and update what has changed of the others."""
        visits = list(visits)
        self._visits.run(connection, [_visit_row(visit) for visit in visits])
        self._memories.run(connection, [_memory_row(visit) for visit in visits])

    def store_rows(
        self, connection: Connection, of_visits: Iterable[tuple[TrackedVisit, VisitRows]]
    ) -> None:
        """Store the rows of visits that are stored, and what pages say of themselves."""
        stored = StoredRows(connection)
        for visit, rows in of_visits:
            stored.add(visit, rows)
        self._pages.run(connection, stored.pages())
        self._tabs.run(connection, stored.tabs)
        self._views.run(connection, stored.views)
        self._spans.run(connection, stored.spans)
        self._changes.run(connection, stored.changes)
        stored.drop_corrected()

    def move_entries(self, connection: Connection, entries: Sequence[tuple[str, int, str]]) -> None:
        """Change the entry page of stored visits, also rare: (path, site id, visit id)."""
        if entries:
            connection.exec_driver_sql(self._entries, list(entries))

    def add_counts(self, connection: Connection, counts: Sequence[tuple[int, int, int]]) -> None:
        """Add visits to slots: (site id, start of the slot, visits)."""
        self._counts.run(connection, counts)

    def _select_visits(self) -> ClauseElement:
        visit, memory = _table("visit"), _table("visit_memory")
        listed = self._listed()
        columns = [(memory if name == "memory" else visit).c[name] for name in _FIELDS]
        is_its = (memory.c.site_id == visit.c.site_id) & (memory.c.visit == visit.c.number)
        return (
            select(self._as_json(*columns))
            .select_from(visit.outerjoin(memory, is_its))
            .where(
                visit.c.site_id == bindparam("site_id"),
                visit.c.id.in_(select(self._item(listed, 0))),
            )
        )

    def _select_tabs(self) -> ClauseElement:
        tab = _table("visit_tab")
        listed = self._listed()
        return select(self._as_json(tab.c.visit, tab.c.id, tab.c.tab)).where(
            tab.c.site_id == bindparam("site_id"),
            tuple_(tab.c.visit, tab.c.id).in_(
                select(self._number(listed, 0), self._item(listed, 1))
            ),
        )

    def _select_views(self) -> ClauseElement:
        view = _table("page_view_row")
        listed = self._listed()
        return select(self._as_json(view.c.visit, view.c.tab, view.c.number)).where(
            view.c.site_id == bindparam("site_id"),
            tuple_(view.c.visit, view.c.tab).in_(
                select(self._number(listed, 0), self._number(listed, 1))
            ),
        )

    def _select_numbers(self) -> ClauseElement:
        """The greatest number among each visitor's newest visits, or how many of these there are.

        The newest alone may be one that was delivered before an earlier one; all of them would be
        too many of a visitor who comes without end. Those that an earlier version has stored have
        the number 0.
        """
        visit = _table("visit")
        listed = self._listed()
        visitor = self._item(listed, 0)
        newest = (
            select(visit.c.visit_number)
            .where(
                visit.c.site_id == bindparam("site_id"),
                visit.c.visitor_id == visitor,
                _IS_REMEMBERED,
            )
            .order_by(visit.c.started_at.desc())
            .limit(literal_column(str(NEWEST_VISITS)))
            .offset(literal_column("0"))  # or SQLite is given it as one more parameter
            .correlate(listed)
            .subquery()
        )
        greatest, stored = func.max(newest.c.visit_number), func.count()
        number = select(case((stored > greatest, stored), else_=greatest)).scalar_subquery()
        return select(self._as_json(visitor, number)).select_from(listed)

    def insert(self, table: str, size: int, moving: Sequence[str], total: str) -> ClauseElement:
        """Upsert so many rows. Of a row that exists, set what moves, or add to the total."""
        target = _table(table)
        module = postgresql if self._is_postgres else sqlite
        insert: Any = module.insert(target).values(
            [{c.name: bindparam(f"{c.name}_{row}") for c in target.c} for row in range(size)]
        )
        changes = {name: insert.excluded[name] for name in moving}
        if total:
            changes[total] = target.c[total] + insert.excluded[total]
        if not changes:
            return insert.on_conflict_do_nothing()
        key = list(target.primary_key)
        return insert.on_conflict_do_update(index_elements=key, set_=changes)

    def compile(self, statement: ClauseElement) -> str:
        """With positional parameters: question marks, or %s."""
        dialect = psycopg_dialect(paramstyle="format") if self._is_postgres else sqlite.dialect()
        return str(statement.compile(dialect=dialect))

    def _listed(self) -> Any:
        """The JSON list as a table with a row for each of its items.

        It stands behind IN, not in a join: SQLite would scan the list for each visit of the site.
        """
        if self._is_postgres:
            elements = func.json_array_elements(cast(bindparam("rows", type_=Text), JSON))
        else:
            elements = func.json_each(bindparam("rows", type_=Text))
        return elements.table_valued(column("value", Text), name="listed")

    def _item(self, listed: Any, position: int) -> ColumnElement[Any]:
        """One value of a listed row; SQLite knows ->> only since 3.38."""
        if self._is_postgres:
            return listed.c.value.op("->>")(literal_column(str(position)))
        return func.json_extract(listed.c.value, literal_column(f"'$[{position}]'"))

    def _number(self, listed: Any, position: int) -> ColumnElement[Any]:
        """A number of a listed row; Postgres gives it as text."""
        item = self._item(listed, position)
        return cast(item, Integer) if self._is_postgres else item

    def _as_json(self, *columns: ColumnElement[Any]) -> ColumnElement[str]:
        """All rows as one JSON list of lists."""
        if self._is_postgres:
            return cast(func.json_agg(func.json_build_array(*columns)), Text)
        return func.json_group_array(func.json_array(*columns))


def _move_entries() -> ClauseElement:
    visit = _table("visit")
    key = (column == bindparam(f"of_{column.name}") for column in visit.primary_key)
    return visit.update().where(*key).values(entry_path=bindparam("new_path"))


def _table(name: str) -> SchemaTable:
    return Table.metadata.tables[name]


def _visit(row: list[Any], connection: Connection) -> TrackedVisit:
    visit = TrackedVisit(*row)
    visit.attributes = _read_attributes(row[_ATTRIBUTES])
    if row[_MEMORY] is None:
        visit.memory = lost_memory(connection, visit.site_id, visit.number)
    else:
        visit.memory = read_memory(row[_MEMORY])
    return visit


def _memory_row(visit: TrackedVisit) -> tuple[int, int, str]:
    return visit.site_id, visit.number, write_memory(visit.memory)


def _visit_row(visit: TrackedVisit) -> tuple[Any, ...]:
    *row, _ = astuple(visit)
    row[_ATTRIBUTES] = _encode(visit.attributes).decode()
    del row[_MEMORY]
    return _in_order([*row, *(_entry_row(visit.entry) if visit.entry else _NO_ENTRY)])


def _entry_row(entry: Entry) -> list[Any]:
    columns = asdict(entry.opening) | {"entry_path": entry.path, "follows": entry.follows}
    return [columns[name] for name in _ENTRY]


def _fetch(connection: Connection, statement: str, site_id: int, keys: Any) -> list[list[Any]]:
    parameters = (site_id, _encode(keys).decode())
    return _decode(connection.exec_driver_sql(statement, parameters).scalar() or "[]")
