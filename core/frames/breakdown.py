"""Shares of the live list by source, browser, operating system and country."""

from __future__ import annotations

from typing import Any

import pandas as pd

from core.enrich.country import country_name, flag
from core.frames.visitors import UNKNOWN

LEADING = 4
"""Groups with a row of their own from the start (reference)."""

LISTED = 50
"""The most groups that are named at all: a website may be told any number of sources."""

OTHER = " other"
"""The value of the row Other. It begins with a space, as no stored text does: a campaign may well
call its source "Other"."""

OTHER_LABEL = "Other"

_COLUMNS = ["label", "flag", "code", "value", "visits", "share", "folded"]


def breakdown(visitors: pd.DataFrame, by: str) -> pd.DataFrame:
    """The live visits by `source`, `browser`, `os` or `country`, largest group first, ties by label.

    Columns: label, flag and code (both "" but for countries), value (what `Filters` takes for
    this row), visits, share (0 to 1 of the live list), folded. First the four largest groups, then
    Other for the rest. Unknown is a group as any other, but never a part of Other: behind the four
    it has a row of its own, after Other. These rows add up to the live list. Behind them, folded,
    are the groups that Other stands for, LISTED of them at most.
    """
    groups = _groups(visitors, by)
    leading, rest = groups.iloc[:LEADING], groups.iloc[LEADING:]
    is_unknown = rest["label"] == UNKNOWN
    folded = rest[~is_unknown]
    parts = [leading, _other(folded), rest[is_unknown], folded.head(LISTED).assign(folded=True)]
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(share=rows["visits"] / max(len(visitors), 1))[_COLUMNS]


def leading_values(visitors: pd.DataFrame, by: str) -> list[str]:
    """The values of the column that Other does not stand for."""
    rows = breakdown(visitors, by)
    return rows.loc[~rows["folded"] & (rows["value"] != OTHER), "value"].tolist()


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
            "folded": False,
        }
    ).sort_values(["visits", "label"], ascending=[False, True], ignore_index=True)


def _other(rest: pd.DataFrame) -> pd.DataFrame:
    if rest.empty:
        return rest
    row: dict[str, Any] = {"label": OTHER_LABEL, "flag": "", "code": "", "value": OTHER}
    return pd.DataFrame([{**row, "visits": rest["visits"].sum(), "folded": False}])
