"""Visitors as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import Any

import pandas as pd

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(visitors: pd.DataFrame) -> str:
    """The frame as CSV with a header, without its index; moments as 2026-11-22T20:00:00Z.

    Visitors choose what stands in paths, titles and names: a cell that a spreadsheet would run as
    a formula begins with an apostrophe.
    """
    guarded = visitors.copy()
    for name in visitors.columns:
        if not _is_safe(visitors[name]):
            guarded[name] = _guard(visitors[name])
    # With this end of line a CR inside a cell is quoted too: unquoted, it would begin a new row.
    return guarded.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\r\n")


def _is_safe(column: pd.Series[Any]) -> bool:
    types = pd.api.types
    return types.is_numeric_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype)


def _guard(column: pd.Series[Any]) -> pd.Series[Any]:
    text = column.astype("str")
    return text.mask(text.str.startswith(_BEGINS_FORMULA), "'" + text)
