"""The tables that can be exported, and their rows, bite by bite."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, func, select, tuple_

from core.database import reading
from core.exports.columns import ExportColumn, exported_columns, plain_value
from core.exports.visit_parts import PARTS, Rows, VisitStart
from core.moment import to_milliseconds
from core.tables import (
    Conversation,
    Message,
    PageView,
    Visit,
    VisitChange,
    VisitCount,
    VisitSpan,
)
from core.visits.calendar import Period

ROWS_A_BITE = 1_000
"""Visits, chats, messages or slots that are read at once."""


class ExportTable(StrEnum):
    """What can be exported."""

    VISITS = "visits"
    PAGE_VIEWS = "page_views"
    SPANS = "spans"
    CHANGES = "changes"
    CONVERSATIONS = "conversations"
    MESSAGES = "messages"
    COUNTS = "counts"


class ExportBite(NamedTuple):
    """Some rows, and how many rows were passed through for them: those of `count`."""

    rows: Rows
    passed: int


class _Shape(NamedTuple):
    """What is written, and by which moment of which table it belongs to a period."""

    written: Any
    passed: Any
    moment: str


_SHAPES = {
    ExportTable.VISITS: _Shape(Visit, Visit, "started_at"),
    ExportTable.PAGE_VIEWS: _Shape(PageView, Visit, "started_at"),
    ExportTable.SPANS: _Shape(VisitSpan, Visit, "started_at"),
    ExportTable.CHANGES: _Shape(VisitChange, Visit, "started_at"),
    ExportTable.CONVERSATIONS: _Shape(Conversation, Conversation, "created_at"),
    ExportTable.MESSAGES: _Shape(Message, Message, "sent_at"),
    ExportTable.COUNTS: _Shape(VisitCount, VisitCount, "starts_at"),
}


@dataclass(frozen=True)
class Export:
    """The rows of a table that belong to a period: visits that began in it, and what belongs to these; chats
    that began in it; messages that were sent in it; slots that begin in it.

    with_words: also what visitors and agents wrote.
    """

    table: ExportTable
    site_id: int
    period: Period
    with_words: bool = False

    @property
    def columns(self) -> tuple[ExportColumn, ...]:
        """The columns of `bites`, in their order."""
        written = _SHAPES[self.table].written
        return exported_columns(written.__table__, with_words=self.with_words)

    def count(self, db: Connection) -> int:
        """How many rows `bites` passes through."""
        query = select(func.count()).select_from(self._passed).where(*self._is_in_period)
        return db.execute(query).scalar_one()

    def bites(self, engine: Engine, rows_a_bite: int = ROWS_A_BITE) -> Iterator[ExportBite]:
        """All rows in the order of their moments.

        Each bite is read for itself, so that the database is never held for long: what changes meanwhile may
        be as it was at the begin of the export, or later.
        """
        after: Sequence[Any] | None = None
        while True:
            with reading(engine) as db:
                passed = self._next(db, after, rows_a_bite)
                rows = self._written(db, passed)
            yield ExportBite(rows, len(passed))
            if len(passed) < rows_a_bite:
                return
            after = [passed[-1][self._read.index(name)] for name in self._key]

    @property
    def _shape(self) -> _Shape:
        return _SHAPES[self.table]

    @property
    def _passed(self) -> Any:
        return self._shape.passed.__table__

    @property
    def _is_part(self) -> bool:
        """Whether the rows are those that visits have in another table."""
        return self._shape.written is not self._shape.passed

    @property
    def _read(self) -> Sequence[str]:
        """The columns that are read of the rows that are passed; `_key` is among them."""
        return VisitStart._fields if self._is_part else [column.name for column in self.columns]

    @property
    def _key(self) -> Sequence[str]:
        moment = self._shape.moment
        others = [c.name for c in self._passed.primary_key if c.name not in ("site_id", moment)]
        return [moment, *others]

    @property
    def _is_in_period(self) -> Sequence[ColumnElement[bool]]:
        table, moment = self._passed, plain_value(self._passed.c[self._shape.moment])
        first, end = map(to_milliseconds, self.period)
        return table.c.site_id == self.site_id, moment >= first, moment < end

    def _next(self, db: Connection, after: Sequence[Any] | None, most: int) -> Rows:
        key = [plain_value(self._passed.c[name]) for name in self._key]
        query = (
            select(*(plain_value(self._passed.c[name]) for name in self._read))
            .where(*self._is_in_period)
            .order_by(*key)
            .limit(most)
        )
        if after is not None:
            # The first condition is for the index, which has no more than the moment.
            query = query.where(key[0] >= after[0], tuple_(*key) > tuple_(*after))
        return [tuple(row) for row in db.execute(query)]

    def _written(self, db: Connection, passed: Rows) -> Rows:
        if not self._is_part:
            return passed
        read = PARTS[self._shape.written.__table__.name]
        return read(db, self.site_id, [VisitStart(*row) for row in passed])
