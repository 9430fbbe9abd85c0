"""The part of the visitors frame that passes an agent's filters."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.enrich.readable_path import readable_path
from core.enrich.text import LONGEST_PATH
from core.frames.breakdown import OTHER, leading_values

SEARCHED = ("path", "title", "source", "country_name", "country", "visitor_name")


@dataclass(frozen=True)
class Filters:
    """What a row must have to be shown; the empty filter lets every row pass.

    search: text that one of SEARCHED contains, as it stands, whatever the case. The others: one of
    these values, as they stand in the frame (country: alpha-2, "" for Unknown; context: "" for
    none). `OTHER` as source, browser, os or country: what the breakdown of the whole frame calls Other.
    """

    search: str = ""
    status: tuple[str, ...] = ()
    context: tuple[str, ...] = ()
    source: tuple[str, ...] = ()
    browser: tuple[str, ...] = ()
    os: tuple[str, ...] = ()
    country: tuple[str, ...] = ()


def narrow(visitors: pd.DataFrame, filters: Filters) -> pd.DataFrame:
    """The rows of the whole visitors frame that pass every filter, in their order."""
    passes = _contains(visitors, filters.search)
    for column, values in {"status": filters.status, "page_context": filters.context}.items():
        if values:
            passes &= visitors[column].isin(values)
    for column, values in {
        "source": filters.source,
        "browser": filters.browser,
        "os": filters.os,
        "country": filters.country,
    }.items():
        if values:
            passes &= _is_one_of(visitors, column, values)
    return visitors[passes]


def _contains(visitors: pd.DataFrame, search: str) -> pd.Series[bool]:
    # As people write it, and as a browser copies it from its address bar.
    wanted = {_folded(search.strip()), _folded(readable_path(search.strip(), LONGEST_PATH))}
    found = pd.Series("" in wanted, index=visitors.index)
    if "" in wanted:
        return found
    for column in SEARCHED:
        found |= _each(visitors[column], lambda text: any(each in _folded(text) for each in wanted))
    return found


def _is_one_of(visitors: pd.DataFrame, column: str, values: tuple[str, ...]) -> pd.Series[bool]:
    passes = visitors[column].isin(values)
    if OTHER in values:
        passes |= ~visitors[column].isin(leading_values(visitors, column))
    return passes


def _each(texts: pd.Series[Any], condition: Callable[[str], bool]) -> pd.Series[bool]:
    """The condition of each row, tested once for each different text."""
    matching = [text for text in texts.unique() if condition(text)]
    return texts.isin(matching)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
