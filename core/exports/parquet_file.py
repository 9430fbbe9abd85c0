"""An exported table as Parquet, written as it is read."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, BinaryIO

from core.exports.columns import ColumnKind, ExportColumn
from core.exports.visit_parts import Rows

# It has no types.
pa: Any = import_module("pyarrow")
parquet: Any = import_module("pyarrow.parquet")

ROWS_A_GROUP = 50_000
"""Rows that are kept until they are written together: small groups make a large and slow file."""

_TYPES: dict[ColumnKind, Any] = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.WHOLE: pa.int64(),
    ColumnKind.NUMBER: pa.float64(),
    ColumnKind.FLAG: pa.bool_(),
    ColumnKind.MOMENT: pa.timestamp("ms", tz="UTC"),
}


class ParquetFile:
    """Writes rows to a binary file; moments are timestamps in UTC. `end` writes what is left."""

    def __init__(self, file: BinaryIO, columns: Sequence[ExportColumn]) -> None:
        self._schema: Any = pa.schema([(column.name, _TYPES[column.kind]) for column in columns])
        self._writer: Any = parquet.ParquetWriter(file, self._schema, compression="zstd")
        self._kept: list[Any] = []
        self._count = 0

    def write(self, rows: Rows) -> None:
        """Take the rows, whose values are those of the columns."""
        if not rows:
            return
        values = [
            pa.array(column, type=field.type)
            for column, field in zip(zip(*rows, strict=True), self._schema, strict=True)
        ]
        self._kept.append(pa.RecordBatch.from_arrays(values, schema=self._schema))
        self._count += len(rows)
        if self._count >= ROWS_A_GROUP:
            self._flush()

    def end(self) -> None:
        """Write what is left, and what a Parquet file ends with."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._kept:
            self._writer.write_table(pa.Table.from_batches(self._kept, schema=self._schema))
        self._kept, self._count = [], 0
