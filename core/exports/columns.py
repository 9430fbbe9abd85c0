"""The columns of an exported table: their names as in docs/schema.md, and what their values are."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Boolean, ColumnElement, Float, Integer, Text, type_coerce
from sqlalchemy import Table as SqlTable

from core.tables import JsonText, Moment

_OF_THE_INSTALLATION = {"site_id", "token", "client_id", "revision"}
"""The site is named once, by the command; the others are how the parts of it find each other. Who has a chat's
token writes as the visitor."""

_WORDS = {"text", "rating_text", "email"}
"""What visitors and agents wrote, or typed."""


class ColumnKind(StrEnum):
    """What the values of a column are; each may be None."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "flag"
    MOMENT = "moment"
    """In milliseconds since the epoch."""


class ExportColumn(NamedTuple):
    """A column of an exported table."""

    name: str
    kind: ColumnKind


def exported_columns(table: SqlTable, *, with_words: bool) -> tuple[ExportColumn, ...]:
    """The columns of the table or view that are exported, in their order."""
    left_out = _OF_THE_INSTALLATION if with_words else _OF_THE_INSTALLATION | _WORDS
    return tuple(
        ExportColumn(column.name, _kind(column.type))
        for column in table.c
        if column.name not in left_out
    )


def plain_value(column: Any) -> ColumnElement[Any]:
    """The column as it is stored: a moment as a number, JSON as text."""
    if isinstance(column.type, Moment):
        return type_coerce(column, BigInteger)
    return type_coerce(column, Text) if isinstance(column.type, JsonText) else column


def _kind(kind: Any) -> ColumnKind:
    if isinstance(kind, Moment):
        return ColumnKind.MOMENT
    if isinstance(kind, Boolean):
        return ColumnKind.FLAG
    if isinstance(kind, Integer):
        return ColumnKind.WHOLE
    return ColumnKind.NUMBER if isinstance(kind, Float) else ColumnKind.TEXT
