"""Shares of the live list by source, browser, operating system and country."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

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


class Group(NamedTuple):
    """A row of a breakdown: the columns of `breakdown`."""

    label: str
    flag: str
    code: str
    value: str
    visits: int
    share: float
    folded: bool


_TYPES: dict[str, Any] = {
    **dict.fromkeys(["label", "flag", "code", "value"], "str"),
    "visits": "int64",
    "share": "float64",
    "folded": "bool",
}


def breakdown(visits: Mapping[str, int], by: str) -> pd.DataFrame:
    """The groups that `groups_by` makes of it, a row each."""
    return groups_frame(groups_by(visits, by))


def groups_by(visits: Mapping[str, int], by: str) -> Sequence[Group]:
    """The live visits by `source`, `browser`, `os` or `country`, largest group first, ties by label.

    visits: how many have each value, as the visitors frame calls it; see `counts_of`.
    label, flag and code (both "" but for countries), value (what `Filters` takes for
    this row), visits, share (0 to 1 of the live list), folded. First the four largest groups, then
    Other for the rest. Unknown is a group as any other, but never a part of Other: behind the four
    it has a row of its own, after Other. These rows add up to the live list. Behind them, folded,
    are the groups that Other stands for, LISTED of them at most.
    """
    total = max(sum(visits.values()), 1)
    groups = [_group(value, number, by, total) for value, number in visits.items()]
    groups.sort(key=lambda group: (-group.visits, group.label, group.value))
    leading, rest = groups[:LEADING], groups[LEADING:]
    unknown = [group for group in rest if group.label == UNKNOWN]
    folded = [group._replace(folded=True) for group in rest if group.label != UNKNOWN]
    return [*leading, *_other(folded, total), *unknown, *folded[:LISTED]]


def groups_frame(groups: Sequence[Group]) -> pd.DataFrame:
    """A row for each, with the columns of `Group`."""
    columns = zip(*groups, strict=True) if groups else [()] * len(_TYPES)
    # Each column with its type at once: a frame of all rows that is cast costs three times as much.
    typed: dict[str, Any] = {
        name: pd.array(list(column), dtype=dtype)
        for (name, dtype), column in zip(_TYPES.items(), columns, strict=True)
    }
    return pd.DataFrame(typed)


def counts_of(visitors: pd.DataFrame, by: str) -> dict[str, int]:
    """How many rows of the visitors frame have each value of the column."""
    return {str(value): visits for value, visits in visitors[by].value_counts().items() if visits}


def leading_values(visitors: pd.DataFrame, by: str) -> list[str]:
    """The values of the column that Other does not stand for."""
    rows = breakdown(counts_of(visitors, by), by)
    return rows.loc[~rows["folded"] & (rows["value"] != OTHER), "value"].tolist()


def _group(value: str, visits: int, by: str, total: int) -> Group:
    share = visits / total
    if by == "country":
        return Group(country_name(value), flag(value), value, value, visits, share, False)
    return Group(value, "", "", value, visits, share, False)


def _other(folded: Sequence[Group], total: int) -> list[Group]:
    if not folded:
        return []
    visits = sum(group.visits for group in folded)
    return [Group(OTHER_LABEL, "", "", OTHER, visits, visits / total, False)]
