"""Visitors as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import Any

import pandas as pd

# A spreadsheet without it takes the bytes of UTF-8 for letters of its own country.
_BYTE_ORDER_MARK = "\ufeff"
_OF_PERSONS = ["visitor_name", "who", "title"]
"""A shop may write a customer's name into a page's title."""

_FROM_ELSEWHERE = ["path", "source"]
"""What websites and links may write an e-mail address into."""

_EMAIL = r"[^\s/?&=:;,<>()@]+(?:@|%40)[^\s/?&=:;,<>()@]+"
_HIDDEN = "(e-mail)"

# Full-width and small forms and the minus sign count in spreadsheets of some languages; spaces and
# what cannot be seen before them do not save the cell.
_BEGINS_FORMULA = (
    r"[\t\r\n]"
    r"|[\s\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*"
    r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
)


def csv_of(visitors: pd.DataFrame) -> str:
    """The frame as CSV with a header, without its index; moments as 2026-11-22T20:00:00Z.

    It begins with a byte order mark, so that spreadsheets read its letters right.
    Visitors choose what stands in paths, titles and names: a cell that a spreadsheet would run as
    a formula begins with an apostrophe.
    """
    guarded = visitors.copy()
    for name in visitors.columns:
        if not _is_safe(visitors[name]):
            guarded[name] = _guard(visitors[name])
    # With this end of line a CR inside a cell is quoted too: unquoted, it would begin a new row.
    rows = guarded.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\r\n")
    return _BYTE_ORDER_MARK + rows


def without_names(visitors: pd.DataFrame) -> pd.DataFrame:
    """The visitors without what may name them: for who may look, but take no names away."""
    hidden = {
        name: visitors[name].astype("str").str.replace(_EMAIL, _HIDDEN, regex=True)
        for name in _FROM_ELSEWHERE
    }
    return visitors.drop(columns=_OF_PERSONS).assign(**hidden)


def _is_safe(column: pd.Series[Any]) -> bool:
    types = pd.api.types
    return types.is_numeric_dtype(column.dtype) or types.is_datetime64_any_dtype(column.dtype)


def _guard(column: pd.Series[Any]) -> pd.Series[Any]:
    text = column.astype("str")
    return text.mask(text.str.match(_BEGINS_FORMULA), "'" + text)
