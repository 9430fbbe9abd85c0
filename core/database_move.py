"""All rows of a SQLite database, copied into an empty Postgres one: in bites, resumable, and compared at the end.

How far it is stands in the target, in the transaction of each bite: a move that was killed goes on after the
last one. Rows are read as they are stored, so that both databases hold the same numbers and texts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    Boolean,
    ColumnClause,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    Select,
    Table,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
)

from core.command_error import CommandError
from core.database import reading, writing
from core.tables import Backlog
from core.tables import Table as Base

ROWS_A_BITE = 20_000
"""Some 0.2 s: after that progress is told, Ctrl-C is heard, and no more than this is done twice."""

CHUNKS_A_BITE = 200
"""The same of rows that have bytes: each is some 30 kB."""

_SUMMED_BELOW = 1_000_000_007
"""Of whole numbers the rest is summed, by this prime: SQLite's sums end at 2^63, which two ids of pages are above."""

_NOTE = "move:"
"""Begins the names of the notes in the table `backlog`: how far the move is, and of what."""

_ORIGIN = f"{_NOTE}from"
_DONE = "done"
_backlog = Base.metadata.tables[str(Backlog.__tablename__)]
_Query = TypeVar("_Query", bound=Select[*tuple[Any, ...]])


class MoveFault(CommandError):
    """The move cannot begin or go on; the text says why in one line, with the cure."""


class TableSums(NamedTuple):
    """rows: how many a table has. sums: of each column, of its numbers' rests or of the lengths of its texts."""

    rows: int
    sums: dict[str, int]


def tables_to_move() -> Sequence[Table]:
    """Every table of this version, those that others refer to first."""
    return Base.metadata.sorted_tables


def count_rows(source: Connection) -> int:
    """The rows of all tables."""
    return sum(
        source.execute(_of_both(table, select(func.count()))).scalar_one()
        for table in tables_to_move()
    )


def count_arrived(target: Engine) -> int:
    """The rows of all tables that are there already."""
    with reading(target) as db:
        _take_any_time(db)
        return count_rows(db)


def origin_of(file: Path) -> str:
    """What tells a SQLite file, once its log is empty, from itself after any later commit."""
    found = file.stat()
    return json.dumps([str(file), found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns])


def begin_move(target: Engine, origin: str) -> bool:
    """Whether a move of the same file, unchanged, was begun before and goes on.

    A target that only has its tables is made ready. Raises MoveFault of one that holds something else.
    """
    with writing(target) as db:
        begun = _noted(db, _ORIGIN)
        if begun == origin:
            return True
        if begun is not None:
            raise MoveFault(
                "A move to this database was begun from another file, or the file has changed since: "
                "begin anew with --again, which empties it first"
            )
        if db.execute(select(Base.metadata.tables["site"]).limit(1)).first() is not None:
            raise MoveFault(
                "This database has sites already: name an empty one, so that nothing of it is lost"
            )
        _empty(db)
        db.execute(insert(_backlog), {"name": _ORIGIN, "position": origin})
    return False


def forget_move(target: Engine) -> None:
    """Empty a target into which a move has begun. Raises MoveFault of any other one."""
    with writing(target) as db:
        if _noted(db, _ORIGIN) is None:
            raise MoveFault("No move to this database was begun: leave --again out")
        _empty(db)


def copy_rows(source: Connection, target: Engine, tell: Callable[[int], None]) -> None:
    """Copy what is not there yet, table by table in the order of their keys.

    tell: called after each bite with the number of its rows.
    """
    for table in tables_to_move():
        for rows, position in _bites(source, table, _position(target, table)):
            with writing(target) as db:
                _insert(db, table, rows)
                _note(db, table, position)
            tell(len(rows))


def compare(source: Connection, target: Engine) -> Sequence[str]:
    """Each difference between the two in a line: of rows, or of a column's sum; none when all is there."""
    found: list[str] = []
    for table in tables_to_move():
        theirs = sums_of(
            source, table
        )  # before: the server ends a transaction that does nothing meanwhile
        with reading(target) as db:
            _take_any_time(db)
            ours = sums_of(db, table)
        if theirs.rows != ours.rows:
            found.append(f"{table.name}: {theirs.rows:,} rows, of which {ours.rows:,} arrived")
        found += [
            f"{table.name}.{name}: the sum is {theirs.sums[name]}, and {ours.sums[name]} arrived"
            for name in theirs.sums
            if theirs.sums[name] != ours.sums[name]
        ]
    return found


def end_move(target: Engine) -> None:
    """Let the target count on from the greatest ids, and forget that it was moved."""
    with writing(target) as db:
        for table in tables_to_move():
            for column in table.primary_key:
                if column is table.autoincrement_column:
                    _count_on(db, column)
        db.execute(delete(_backlog).where(_backlog.c.name.startswith(_NOTE, autoescape=True)))


def sums_of(db: Connection, table: Table) -> TableSums:
    """What is compared of a table; a note of the move itself does not count."""
    columns: list[Any] = [func.count(), *(_sum(column) for column in table.c)]
    rows, *sums = db.execute(_of_both(table, select(*columns))).one()
    return TableSums(rows, {c.name: int(total) for c, total in zip(table.c, sums, strict=True)})


def _of_both(table: Table, query: _Query) -> _Query:
    """Without the notes of the move itself, which only the target has."""
    query = query.select_from(table)
    if table is _backlog:
        query = query.where(~_backlog.c.name.startswith(_NOTE, autoescape=True))
    return query


def _sum(column: Any) -> Any:
    kind = column.type
    stored = _stored(column)
    if isinstance(kind, Boolean):
        value = func.count().filter(stored.is_(literal_column("true")))
        return func.coalesce(value, 0)
    if _is_number(column):
        value = func.round(stored * 1_000) if isinstance(kind, Float) else stored % _SUMMED_BELOW
    else:
        value = func.length(stored)
    return func.coalesce(func.sum(value), 0)


def _is_number(column: Any) -> bool:
    kind = getattr(column.type, "impl_instance", column.type)
    return isinstance(kind, (Integer, Float))


def _bites(
    source: Connection, table: Table, position: str | None
) -> Iterator[tuple[Sequence[Sequence[Any]], str]]:
    """Rows in the order of their key, and the position after them; the last one is _DONE."""
    key = [_stored(column) for column in table.primary_key]
    places = [list(table.c).index(column) for column in table.primary_key]
    has_bytes = any(isinstance(column.type, LargeBinary) for column in table.c)
    most = CHUNKS_A_BITE if has_bytes else ROWS_A_BITE
    query = select(*map(_stored, table.c)).select_from(table).order_by(*key).limit(most)
    while position != _DONE:
        after: list[Any] = json.loads(position) if position else []
        rows = source.execute(query.where(tuple_(*key) > tuple_(*after)) if after else query).all()
        is_last = len(rows) < most
        position = _DONE if is_last else json.dumps([rows[-1][place] for place in places])
        yield rows, position


def _stored(column: Any) -> ColumnClause[Any]:
    """The column as it is stored, without its type's meaning."""
    return literal_column(f'"{column.table.name}"."{column.name}"')


def _insert(db: Connection, table: Table, rows: Sequence[Sequence[Any]]) -> None:
    if not rows:
        return
    names = ", ".join(f'"{column.name}"' for column in table.c)
    flags = [at for at, column in enumerate(table.c) if isinstance(column.type, Boolean)]
    cursor: Any = db.connection.cursor()  # psycopg's: only its COPY is fast enough for millions
    with cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
        for row in rows:
            copy.write_row(_with_flags(row, flags) if flags else row)


def _with_flags(row: Sequence[Any], flags: Sequence[int]) -> Sequence[Any]:
    """SQLite keeps a boolean as a number."""
    values = list(row)
    for at in flags:
        values[at] = None if values[at] is None else bool(values[at])
    return values


def _position(target: Engine, table: Table) -> str | None:
    with reading(target) as db:
        return _noted(db, f"{_NOTE}{table.name}")


def _noted(db: Connection, name: str) -> str | None:
    query = select(_backlog.c.position).where(_backlog.c.name == name)
    return db.execute(query).scalar_one_or_none()


def _note(db: Connection, table: Table, position: str) -> None:
    name = f"{_NOTE}{table.name}"
    db.execute(delete(_backlog).where(_backlog.c.name == name))
    db.execute(insert(_backlog), {"name": name, "position": position})


def _take_any_time(db: Connection) -> None:
    """Millions of rows take longer than what a statement may else take."""
    db.exec_driver_sql("SET LOCAL statement_timeout = 0")


def _empty(db: Connection) -> None:
    _take_any_time(db)
    for table in reversed(tables_to_move()):
        db.execute(delete(table))


def _count_on(db: Connection, column: Any) -> None:
    table = column.table
    sequence = func.pg_get_serial_sequence(f'"{table.name}"', column.name)
    following = func.coalesce(select(func.max(column)).scalar_subquery(), 0) + 1
    db.execute(select(func.setval(sequence, following, literal_column("false"))))
