"""Shares of the live list by browser, operating system and country."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.enrich.country import country_name, flag
from core.frames.visitors import OTHER, UNKNOWN

LEADING = 6
"""Groups with a row of their own (reference)."""

_COLUMNS = ["label", "flag", "code", "value", "visits", "share"]


def breakdown(visitors: pd.DataFrame, by: str) -> pd.DataFrame:
    """The live visits by `browser`, `os` or `country`, largest group first, ties by label.

    Columns: label, flag and code (both "" but for countries), value (what `Filters` takes for
    this row), visits, share (0 to 1 of the live list). The six largest groups, then Other for the
    rest. Unknown is a group as any other, but never a part of Other: behind the six it has a row
    of its own, after Other.
    """
    groups = _groups(visitors, by)
    leading, rest = groups.iloc[:LEADING], groups.iloc[LEADING:]
    is_unknown = rest["label"] == UNKNOWN
    rows = pd.concat([leading, _other(rest[~is_unknown]), rest[is_unknown]], ignore_index=True)
    return rows.assign(share=rows["visits"] / max(len(visitors), 1))[_COLUMNS]


def leading_values(visitors: pd.DataFrame, by: str) -> list[str]:
    """The values of the column that have a row of their own in its breakdown."""
    rows = breakdown(visitors, by)
    return rows.loc[rows["value"] != OTHER, "value"].tolist()


def _groups(visitors: pd.DataFrame, by: str) -> pd.DataFrame:
    counts = visitors[by].value_counts()
    values = [str(value) for value in counts.index]
    is_country = by == "country"
    return pd.DataFrame(
        {
            "label": [country_name(code) for code in values] if is_country else values,
            "flag": [flag(code) for code in values] if is_country else "",
            "code": values if is_country else "",
            "value": values,
            "visits": counts.to_numpy(),
        }
    ).sort_values(["visits", "label"], ascending=[False, True], ignore_index=True)


def _other(rest: pd.DataFrame) -> pd.DataFrame:
    if rest.empty:
        return rest
    row: dict[str, Any] = {"label": OTHER, "flag": "", "code": "", "value": OTHER}
    return pd.DataFrame([{**row, "visits": rest["visits"].sum()}])
