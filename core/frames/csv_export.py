"""A frame as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.spreadsheet import BEGINS_FORMULA, BYTE_ORDER_MARK, END_OF_LINE

_OF_PERSONS = ["visitor_name", "who", "title"]
"""A shop may write a customer's name into a page's title."""

_EMAIL = r"[^\s/?&=:;,<>()@]+(?:@|%40)[^\s/?&=:;,<>()@]+"
_HIDDEN = "(e-mail)"


def csv_of(frame: pd.DataFrame) -> str:
    """The frame as CSV with a header, without its index; moments as 2026-11-22T20:00:00Z.

    It begins with a byte order mark, so that spreadsheets read its letters right.
    Visitors choose what stands in paths, titles and names: a cell that a spreadsheet would run as
    a formula begins with an apostrophe.
    """
    guarded = frame.copy()
    for name in frame.columns:
        if not _is_safe(frame[name]):
            guarded[name] = _guard(frame[name])
    rows = guarded.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator=END_OF_LINE)
    return BYTE_ORDER_MARK + rows


def without_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame without what may name a visitor: for who may look, but take no names away.

    Websites and links may write an e-mail address into any text.
    """
    kept = frame.drop(columns=_OF_PERSONS, errors="ignore")
    hidden = {
        name: kept[name].astype("str").str.replace(_EMAIL, _HIDDEN, regex=True)
        for name in kept.columns
        if _has_email(kept[name])
    }
    return kept.assign(**hidden)


def _has_email(column: pd.Series[Any]) -> bool:
    if _is_safe(column):
        return False
    texts: Any = column.cat.categories if column.dtype == "category" else column
    return bool(texts.astype("str").str.contains(_EMAIL, regex=True).any())


def _is_safe(column: pd.Series[Any]) -> bool:
    types = pd.api.types
    return types.is_numeric_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype)


def _guard(column: pd.Series[Any]) -> pd.Series[Any]:
    text = column.astype("str")
    return text.mask(text.str.match(BEGINS_FORMULA), "'" + text)
