"""A frame as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import Any

import pandas as pd

# A spreadsheet without it takes the bytes of UTF-8 for letters of its own country.
_BYTE_ORDER_MARK = "\ufeff"
_OF_PERSONS = ["visitor_name", "who", "title"]
"""A shop may write a customer's name into a page's title."""

_EMAIL = r"[^\s/?&=:;,<>()@]+(?:@|%40)[^\s/?&=:;,<>()@]+"
_HIDDEN = "(e-mail)"

# Full-width and small forms and the minus sign count in spreadsheets of some languages; spaces and
# what cannot be seen before them do not save the cell.
_BEGINS_FORMULA = (
    r"[\t\r\n]"
    r"|[\s\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*"
    r"[=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212]"
)


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
    # With this end of line a CR inside a cell is quoted too: unquoted, it would begin a new row.
    rows = guarded.to_csv(index=False, date_format="%Y-%m-%dT%H:%M:%SZ", lineterminator="\r\n")
    return _BYTE_ORDER_MARK + rows


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
    return text.mask(text.str.match(_BEGINS_FORMULA), "'" + text)
