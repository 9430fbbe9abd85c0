"""The table that every page draws: declared here, drawn by table.js.

The columns are declared once, in Python; the browser gets the rows of one page and keeps its nodes
through refreshes. There, text from visitors is never read as HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from core.visits.presence import ACTIVE_FOR, IDLE_AFTER
from pages.parts.ready_data import ReadyJson, as_json, ready_data, rows_of, values_of
from pages.parts.script import component

_FOLDER = Path(__file__).parent


class Kind(StrEnum):
    """How the cells of a column are drawn; cells.js has the functions of each."""

    TEXT = "text"
    NUMBER = "number"
    STATUS = "status"
    LINK = "link"
    PAGE = "page"
    BADGE = "badge"
    COUNTRY = "country"
    LENGTH = "length"
    ACTIVITY = "activity"
    ACTION = "action"


@dataclass(frozen=True)
class Colour:
    """A badge's or a dot's colour, and the colour of text on it."""

    back: str
    text: str = "#ffffff"


@dataclass(frozen=True)
class RowAction:
    """A row's button: its label, a note next to it, and its name for screen readers.

    In `name`, {path} stands for the row's path; the same holds for each column. Without a label the
    cell shows a dash in place of a button, and `name` says why.
    """

    label: str
    name: str
    note: str = ""
    is_quiet: bool = True


@dataclass(frozen=True, eq=False)
class Column:
    """A column of a table: `name` is the frame's column, `label` what the header says. Declared once, it is
    equal to itself only.

    tooltip: the frame's columns shown when the pointer rests on a cell, a line each, with spaces
    between their names. note: the frame's column shown small behind the value. colours: of each
    value. pulse: the value whose dot pulses. ticks: the frame's column that says whether a length of
    time grows between two refreshes. actions: the button for each value. width: in rem; when one
    column has a width, those without share what is left, and what is longer ends in an ellipsis.
    is_optional: it is shown only while a row has a value or a note in it. can_hide: whether the
    agent may hide it.
    """

    name: str
    label: str
    kind: Kind = Kind.TEXT
    help: str = ""
    tooltip: str = ""
    note: str = ""
    colours: Mapping[str, Colour] = field(default_factory=dict[str, Colour])
    actions: Mapping[str, RowAction] = field(default_factory=dict[str, RowAction])
    pulse: str = ""
    ticks: str = ""
    sorts: bool = True
    width: float = 0
    is_optional: bool = False
    can_hide: bool = True


@dataclass(frozen=True)
class Clock:
    """How old the rows are, in seconds, and whether their lengths grow in the browser."""

    age: float = 0.0
    ticking: bool = False
    active: float = ACTIVE_FOR.total_seconds()
    idle: float = IDLE_AFTER.total_seconds()


@dataclass(frozen=True)
class Chip:
    """A choice made elsewhere on the page that narrows the table, and can be cleared here."""

    name: str
    label: str


@dataclass(frozen=True)
class Filter:
    """A choice of one value; `label` is shown for no choice, the options are (value, label)."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Toolbar:
    """The bar above the table: `search` is the search box's placeholder, `count` says how many rows
    there are, `page` (from 0) of `pages` is shown.

    columns_stored_as: the name under which the browser keeps which columns the agent hides; without
    one none can be hidden. keys: single-letter keys act on the table, and a link skips to it.
    """

    search: str
    filters: Sequence[Filter]
    chips: Sequence[Chip]
    count: str
    page: int
    pages: int
    columns_stored_as: str = ""
    keys: bool = False


def draw_table(
    rows: pd.DataFrame | ReadyJson,
    columns: Sequence[Column],
    *,
    key: str,
    name: str,
    layout: str = "list cards",
    href: str = "",
    empty: str = "",
    view: Mapping[str, Any] | None = None,
    around_search: tuple[str, str] | None = None,
    selected: str = "",
    toolbar: Toolbar | None = None,
    clock: Clock | None = None,
    on_view_change: Callable[[], None] | None = None,
    on_opened_change: Callable[[], None] | None = None,
    on_cleared_change: Callable[[], None] | None = None,
) -> Any:
    """Draw the table; the result says what was done in it: `opened`, `acted`, `cleared` (a
     row's id or a chip's name).

    rows: a frame with the columns' own columns and a text column `id`, or what `ready_rows`
    made of one. A LINK leads to the row's `href`, where there is such a column, else to href + id.
    layout: words of table.css: "list"; "cards": each row is a card on a phone; "still":
    its rows are not links; "unsorted": no column sorts, so that cards need no header. around_search:
    the query of the page's address before and after "q", where the search stands in the address.
    """
    return _table(
        key=key,
        data=ready_data(
            rows=rows if isinstance(rows, ReadyJson) else ready_rows(rows),
            table=_ready_table(name, layout, href, empty, tuple(columns)),
            view=dict(view or {}),
            around_search=around_search,
            selected=selected,
            toolbar=toolbar,
            clock=clock or Clock(),
        ),
        on_view_change=on_view_change or _nothing,
        on_opened_change=on_opened_change or _nothing,
        on_acted_change=_nothing,
        on_cleared_change=on_cleared_change or _nothing,
    )


def ready_rows(rows: pd.DataFrame | Mapping[str, Sequence[Any]]) -> ReadyJson:
    """The frame, or its columns, as the browser gets them, which can be made once for all viewers."""
    if isinstance(rows, pd.DataFrame):
        rows = {str(name): values_of(rows[name]) for name in rows}
    return as_json(rows_of(**rows))


@lru_cache(maxsize=100)
def _ready_table(
    name: str, layout: str, href: str, empty: str, columns: tuple[Column, ...]
) -> ReadyJson:
    table = {"name": name, "layout": layout, "href": href, "empty": empty, "columns": columns}
    return as_json(table)


def _nothing() -> None:
    return None


_table = component("visitor_monitor_table", _FOLDER / "table.js", _FOLDER / "table.css")
