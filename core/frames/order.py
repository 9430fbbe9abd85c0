"""The visitors frame, sorted and paged."""

from __future__ import annotations

from typing import Any

import pandas as pd

_SORTED_BY = {"time_on_site_label": "time_on_site", "activity_label": "idle_seconds"}
"""Labels that sort by the number that they stand for."""


def order_by(
    visitors: pd.DataFrame, column: str | None = None, descending: bool = False
) -> pd.DataFrame:
    """The rows by a column, equal ones in the default order; without a column the default order.

    Time on Site and Activity sort by their numbers, Context in CONTEXT_ORDER, text without case.
    """
    ranked = visitors.sort_index()
    if column is None:
        return ranked
    return ranked.sort_values(
        _SORTED_BY.get(column, column), ascending=not descending, kind="stable", key=_without_case
    )


def page_of(visitors: pd.DataFrame, page: int, size: int) -> pd.DataFrame:
    """The page-th `size` rows, from 1; a page beyond the last one is the last one."""
    page = min(max(page, 1), count_pages(len(visitors), size))
    return visitors.iloc[(page - 1) * size : page * size]


def count_pages(rows: int, size: int) -> int:
    """How many pages the rows fill: at least one."""
    return max(-(-rows // size), 1)


def _without_case(values: pd.Series[Any]) -> pd.Series[Any]:
    if isinstance(values.dtype, pd.CategoricalDtype):
        if values.cat.ordered:
            return values
        values = values.astype("str")
    return values.str.casefold() if pd.api.types.is_string_dtype(values.dtype) else values
