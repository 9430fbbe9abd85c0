"""An exported table as CSV, written as it is read, and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Any, TextIO

from core.exports.columns import ColumnKind, ExportColumn
from core.exports.visit_parts import Rows
from core.moment import from_milliseconds, iso_of
from core.spreadsheet import BYTE_ORDER_MARK, END_OF_LINE, guarded


class CsvFile:
    """Writes rows to a text file; moments as 2026-11-22T20:00:00.000Z. Nothing is closed here."""

    def __init__(self, file: TextIO, columns: Sequence[ExportColumn]) -> None:
        file.write(BYTE_ORDER_MARK)
        self._columns = columns
        self._writer = csv.writer(file, lineterminator=END_OF_LINE)
        self._writer.writerow(column.name for column in columns)

    def write(self, rows: Rows) -> None:
        """Write the rows, whose values are those of the columns."""
        told = [
            _told(column.kind, values)
            for column, values in zip(self._columns, zip(*rows, strict=True), strict=False)
        ]
        self._writer.writerows(zip(*told, strict=True))

    def end(self) -> None:
        """Nothing is left to be written."""


def _told(kind: ColumnKind, values: Sequence[Any]) -> Sequence[Any]:
    if kind == ColumnKind.MOMENT:
        return [_moment(value) for value in values]
    if kind == ColumnKind.TEXT:
        return [value if value is None else guarded(value) for value in values]
    return values


def _moment(value: int | None) -> str | None:
    return None if value is None else iso_of(from_milliseconds(value))
