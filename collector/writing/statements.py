"""The writer's SQL: load visits, store what moved of them. Compiled once.

Rows are loaded as one JSON list. They are stored as each database does it best: SQLite row by row, which is
twice as fast as many rows in one statement, where no other thread of Python is busy; Postgres as one JSON list,
which takes a seventh of the driver's time. Rows are tuples in the order of the table's columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain, compress
from operator import attrgetter, itemgetter, ne
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict
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
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql import ClauseElement

from collector.writing.stored_rows import StoredRows
from core.compiled import compile_for, find_value, run_each
from core.database import dialect_module
from core.tables import Table
from core.visits.memories import lost_memory
from core.visits.tab_state import read_memory, write_memory
from core.visits.tracked_visit import Entry, TrackedVisit
from core.visits.visit_rows import VisitRows

TabKey = tuple[int, str]
"""A tab of a visit: (the visit's number, the tab's id)."""

_KEY = ("site_id", "id", "number")
_JSON = ("attributes", "memory")
_STATE = TrackedVisit.__struct_fields__[:-3]
"""What is loaded of a visit."""
_OFTEN = ("last_seen_at", "last_activity_at", "in_view_until", "page_count")
"""What presence moves: compared one by one, the others together first."""
_SELDOM = [name for name in _STATE if name not in (*_KEY, *_JSON, *_OFTEN)]
_MOVING = (*_OFTEN, *_SELDOM, "attributes")
_ATTRIBUTES, _MEMORY = (_STATE.index(name) for name in _JSON)
_ENTRY = [column.name for column in Table.metadata.tables["visit"].c if column.name not in _STATE]
_often_of, _seldom_of = attrgetter(*_OFTEN), attrgetter(*_SELDOM)
_in_order = itemgetter(
    *map([*_MOVING, *_KEY, *_ENTRY].index, Table.metadata.tables["visit"].c.keys())
)
_IS_REMEMBERED = text("visitor_id <> ''")
"""The condition of the partial index, word for word, so that both databases use it."""
NEWEST_VISITS = 8
"""Of a visitor, among which the number of the last one is looked for."""
AT_ONCE = (30, 5, 1)
"""Rows that one statement stores: with at most 999 parameters, the limit of old SQLites."""

MOST_CHANGES = 200
"""Sets of columns that have moved together, of which the statement is kept: a handful is usual."""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[list[Any]]).decode
_read_attributes = msgspec.json.Decoder(dict[str, str]).decode


class SiteEdits(NamedTuple):
    """Who has written the visits of a site last, as `visit_edit` has it. is_kept: it is no deleted site."""

    is_kept: bool
    writer: str
    batch: int
    edited: str


class StaleVisits(SQLAlchemyError):
    """A visit that was kept in memory is no longer stored, and nobody has said so: it is read again when its
    hit comes again."""


class Upsert:
    """One kind of row to insert, or to change where it exists: a statement for each of so many rows."""

    def __init__(
        self, rows: Statements, table: str, moving: Sequence[str] = (), total: str = ""
    ) -> None:
        sizes = AT_ONCE if rows.is_postgres else (1,)
        self._statements = [
            (size, rows.compile(rows.insert(table, size, moving, total))) for size in sizes
        ]

    def run(self, connection: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Upsert the rows; on Postgres most of them in large statements."""
        if not rows:
            return
        done = 0
        for size, statement in self._statements:
            until = len(rows) - (len(rows) - done) % size
            starts = range(done, until, size)
            many = rows[done:]
            if size > 1:
                many = [tuple(chain.from_iterable(rows[at : at + size])) for at in starts]
            if many:
                run_each(connection, statement, many)
            done = until


class Change:
    """Stored rows of one table of which these columns change: a row is their values, then the key."""

    def __init__(self, statements: Statements, table: str, columns: Sequence[str]) -> None:
        self._is_postgres = statements.is_postgres
        self._statement = statements.compile(statements.update(table, columns))

    def run(self, connection: Connection, rows: list[tuple[Any, ...]]) -> int:
        """How many rows there were."""
        parameters = [(_encode(rows).decode(),)] if self._is_postgres else rows
        return run_each(connection, self._statement, parameters)


class Statements:
    """The statements of the writer, for one kind of database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.is_postgres = engine.dialect.name == "postgresql"
        self._load_edits = self.compile(self._select_edits())
        self._load_visits = self.compile(self._select_visits())
        self._load_tabs = self.compile(self._select_tabs())
        self._load_views = self.compile(self._select_views())
        self._load_numbers = self.compile(self._select_numbers())
        self._entries = self.compile(_move_entries())
        self._edits = Upsert(self, "visit_edit", moving=["writer", "batch", "edited_visits"])
        self._new_visits = Upsert(self, "visit", moving=_MOVING)
        self._changes_of = lru_cache(MOST_CHANGES)(self._make_changes)
        self._new_memories = Upsert(self, "visit_memory", moving=["memory"])
        self._memories = Change(self, "visit_memory", ["memory"])
        self._tabs = Upsert(self, "visit_tab")
        self._pages = Upsert(self, "page", total="uses")
        self._views = Upsert(self, "page_view_row")
        self._new_spans = Upsert(self, "visit_span_row", moving=["is_open", "length"])
        self._longer_spans = Change(self, "visit_span_row", ["is_open", "length"])
        self._changes = Upsert(self, "visit_change_row")
        self._counts = Upsert(self, "visit_count", total="visits")

    def load_edits(self, connection: Connection, site_ids: Iterable[int]) -> dict[int, SiteEdits]:
        """Of each of these sites, by its id; one that does not exist is as a deleted one."""
        keys = [(site_id,) for site_id in site_ids]
        rows = _fetch(connection, self._load_edits, keys)
        return {
            asked: SiteEdits(
                found is not None and removed_at is None, writer or "", batch or 0, edited or ""
            )
            for asked, found, removed_at, writer, batch, edited in rows
        }

    def store_edits(
        self, connection: Connection, rows: Sequence[tuple[int, str, int, str]]
    ) -> None:
        """Say who has written the visits of sites: (site id, writer, batch, ids of edited visits)."""
        self._edits.run(connection, rows)

    def load_visits(
        self, connection: Connection, site_id: int, ids: Iterable[str]
    ) -> list[TrackedVisit]:
        """The visits of the site that have these ids, in no order."""
        keys = [(visit_id,) for visit_id in ids]
        rows = _fetch(connection, self._load_visits, keys, site_id)
        return [_visit(row, connection) for row in rows]

    def load_tabs(
        self, connection: Connection, site_id: int, tabs: Iterable[TabKey]
    ) -> list[tuple[int, str, int]]:
        """(visit, tab id, ordinal) of those of these tabs that are stored."""
        rows = _fetch(connection, self._load_tabs, list(tabs), site_id)
        return [(visit, tab_id, ordinal) for visit, tab_id, ordinal in rows]

    def load_views(
        self, connection: Connection, site_id: int, tabs: Iterable[tuple[int, int]]
    ) -> list[tuple[int, int, int]]:
        """(visit, tab, number) of every stored page view of these tabs: (visit, tab), by their numbers."""
        rows = _fetch(connection, self._load_views, list(tabs), site_id)
        return [(visit, tab, number) for visit, tab, number in rows]

    def load_visit_numbers(
        self, connection: Connection, site_id: int, visitors: Iterable[str]
    ) -> dict[str, int]:
        """How many visits each of these visitors has made, by their id; 0 for a new one."""
        keys = [(visitor,) for visitor in visitors]
        rows = _fetch(connection, self._load_numbers, keys, site_id)
        return {visitor: number or 0 for visitor, number in rows}

    def store_visits(self, connection: Connection, visits: Iterable[TrackedVisit]) -> None:
        """Insert new visits, which have numbers, and update of the others what has moved since they were
        loaded or stored, with what is remembered of them.

        Raises StaleVisits when one of those is no longer there.
        """
        visits = list(visits)
        self._store_memories(connection, visits)
        new: list[tuple[Any, ...]] = []
        moved: defaultdict[tuple[bool, ...], list[tuple[Any, ...]]] = defaultdict(list)
        for visit in visits:
            often, seldom = row = _moving_row(visit)
            if visit.entry is not None:
                new.append(_new_row(visit, (*often, *seldom), visit.entry))
                visit.entry = None
            else:
                was_often, was_seldom = visit.stored
                columns = tuple(map(ne, often, was_often))
                values = often
                if seldom != was_seldom:
                    columns += tuple(map(ne, seldom, was_seldom))
                    values += seldom
                if any(columns):
                    moved[columns].append((*compress(values, columns), visit.site_id, visit.id))
            visit.stored = row
        self._new_visits.run(connection, new)
        for columns, rows in moved.items():
            if self._changes_of(columns).run(connection, rows) != len(rows):
                raise StaleVisits("visits that were stored are not there any more")

    def _store_memories(self, connection: Connection, visits: Sequence[TrackedVisit]) -> None:
        new: list[tuple[int, int, str]] = []
        known: list[tuple[Any, ...]] = []
        """The memory, then its key."""
        for visit in visits:
            memory = write_memory(visit.memory)
            if visit.entry is not None or not visit.stored_memory:
                new.append((visit.site_id, visit.number, memory))
            elif memory != visit.stored_memory:
                known.append((memory, visit.site_id, visit.number))
            visit.stored_memory = memory
        if known and self._memories.run(connection, known) != len(known):
            # Forgotten as that of visits which are over: a clock has jumped ahead and back.
            new += [(site_id, number, memory) for memory, site_id, number in known]
        self._new_memories.run(connection, new)

    def store_rows(
        self, connection: Connection, of_visits: Iterable[tuple[TrackedVisit, VisitRows]]
    ) -> None:
        """Store the rows of visits that are stored, and what pages say of themselves.

        A span that a tab has begun twice gets its new end.
        """
        stored = StoredRows(connection)
        for visit, rows in of_visits:
            stored.add(visit, rows)
        self._pages.run(connection, stored.pages())
        self._tabs.run(connection, stored.tabs)
        self._views.run(connection, stored.views)
        self._new_spans.run(connection, stored.new_spans)
        if stored.longer_spans:
            self._longer_spans.run(connection, stored.longer_spans)
        self._changes.run(connection, stored.changes)
        stored.drop_corrected()

    def move_entries(self, connection: Connection, entries: Sequence[tuple[str, int, str]]) -> None:
        """Change the entry page of stored visits, also rare: (path, site id, visit id)."""
        if entries:
            run_each(connection, self._entries, list(entries))

    def add_counts(self, connection: Connection, counts: Sequence[tuple[int, int, int]]) -> None:
        """Add visits to slots: (site id, start of the slot, visits)."""
        self._counts.run(connection, counts)

    def _select_edits(self) -> ClauseElement:
        site, edit, listed = _table("site"), _table("visit_edit"), self._listed()
        asked = cast(self._item(listed, 0), Integer)
        columns = (site.c.id, site.c.removed_at, edit.c.writer, edit.c.batch, edit.c.edited_visits)
        return select(self._as_json(asked, *columns)).select_from(
            listed.outerjoin(site, site.c.id == asked).outerjoin(edit, edit.c.site_id == asked)
        )

    def _select_visits(self) -> ClauseElement:
        visit, memory = _table("visit"), _table("visit_memory")
        listed = self._listed()
        columns = [(memory if name == "memory" else visit).c[name] for name in _STATE]
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
        insert: Any = (
            dialect_module(self._engine.dialect)
            .insert(target)
            .values(
                [{c.name: bindparam(f"{c.name}_{row}") for c in target.c} for row in range(size)]
            )
        )
        changes = {name: insert.excluded[name] for name in moving}
        if total:
            changes[total] = target.c[total] + insert.excluded[total]
        if not changes:
            return insert.on_conflict_do_nothing()
        key = list(target.primary_key)
        return insert.on_conflict_do_update(index_elements=key, set_=changes)

    def update(self, table: str, columns: Sequence[str]) -> ClauseElement:
        """Set these columns of one row, or on Postgres of all that are listed."""
        target = _table(table)
        names = [*columns, *target.primary_key.columns.keys()]
        values: list[Any] = [bindparam(f"{name}_of") for name in names]
        if self.is_postgres:
            listed = self._listed()
            values = [
                cast(self._item(listed, position), target.c[name].type)
                for position, name in enumerate(names)
            ]
        given = dict(zip(names, values, strict=True))
        is_it = [column == given[column.name] for column in target.primary_key]
        return (
            target.update()
            .where(*is_it)
            .ordered_values(*((target.c[name], given[name]) for name in columns))
        )

    def _make_changes(self, columns: tuple[bool, ...]) -> Change:
        return Change(self, "visit", list(compress(_MOVING, columns)))

    def compile(self, statement: ClauseElement) -> str:
        """For the driver of this kind of database."""
        return compile_for(self._engine, statement)

    def _listed(self) -> Any:
        """The JSON list as a table with a row for each of its items.

        It stands behind IN, not in a join: SQLite would scan the list for each visit of the site.
        """
        if self.is_postgres:
            elements = func.json_array_elements(cast(bindparam("rows", type_=Text), JSON))
        else:
            elements = func.json_each(bindparam("rows", type_=Text))
        return elements.table_valued(column("value", Text), name="listed")

    def _item(self, listed: Any, position: int) -> ColumnElement[Any]:
        """One value of a listed row; SQLite knows ->> only since 3.38."""
        if self.is_postgres:
            return listed.c.value.op("->>")(literal_column(str(position)))
        return func.json_extract(listed.c.value, literal_column(f"'$[{position}]'"))

    def _number(self, listed: Any, position: int) -> ColumnElement[Any]:
        """A number of a listed row; Postgres gives it as text."""
        item = self._item(listed, position)
        return cast(item, Integer) if self.is_postgres else item

    def _as_json(self, *columns: ColumnElement[Any]) -> ColumnElement[str]:
        """All rows as one JSON list of lists."""
        if self.is_postgres:
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
    visit.stored = _often_of(visit), (*_seldom_of(visit), row[_ATTRIBUTES])
    visit.stored_memory = row[_MEMORY] or ""
    return visit


def _moving_row(visit: TrackedVisit) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What the columns of _MOVING are to hold: those that move often, and the others."""
    attributes = _encode(visit.attributes).decode() if visit.attributes else "{}"
    return _often_of(visit), (*_seldom_of(visit), attributes)


def _new_row(visit: TrackedVisit, moving: tuple[Any, ...], entry: Entry) -> tuple[Any, ...]:
    columns = asdict(entry.opening) | {"entry_path": entry.path, "follows": entry.follows}
    opening = [columns[name] for name in _ENTRY]
    return _in_order((*moving, visit.site_id, visit.id, visit.number, *opening))


def _fetch(connection: Connection, statement: str, keys: Any, *site_id: int) -> list[list[Any]]:
    parameters = (*site_id, _encode(keys).decode())
    return _decode(find_value(connection, statement, parameters) or "[]")
