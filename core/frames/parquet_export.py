"""A frame as a Parquet file: its types are kept, so that pandas, DuckDB and others need not guess them."""

from __future__ import annotations

from io import BytesIO

import pandas as pd


def parquet_of(frame: pd.DataFrame) -> bytes:
    """The frame as Parquet, without its index; moments are UTC, in milliseconds.

    No cell is guarded as in a CSV: what reads Parquet runs no formulas.
    """
    file = BytesIO()
    frame.to_parquet(file, index=False, coerce_timestamps="ms", allow_truncated_timestamps=True)
    return file.getvalue()
