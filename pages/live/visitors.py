"""Active Visitors: the frame as a live table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st

from core.chat.states import ConversationState
from core.enrich.country import country_name
from core.enrich.page_context import PageContext
from core.frames import OTHER, Picture, count_pages, narrow, order_by, page_of
from core.tables import Site
from core.visits.presence import Status
from pages.invite.dialog import open_invitation
from pages.live.columns import ALSO_SENT, ELSEWHERE, VISITOR_COLUMNS
from pages.live.view import CHOICES, NO_CONTEXT, TableView, keep_view, view_of
from pages.parts.table.component import Chip, Clock, Filter, Toolbar, draw_table
from pages.parts.texts import plural

ROWS = 100
"""Rows on one page of the table."""

FILTERS = (
    Filter("status", "Any status", [(status.value, status.value) for status in Status]),
    Filter(
        "page_context",
        "Any context",
        [
            *((context.value, context.value) for context in PageContext if context),
            (NO_CONTEXT, "No context"),
        ],
    ),
)


def draw_visitors(picture: Picture, site: Site, clock: Clock) -> None:
    """Draw the table with its toolbar; open a visitor's page when a row is chosen."""
    view = view_of(site.key)
    found = narrow(picture.visitors, view.filters())
    pages = count_pages(len(found), ROWS)
    page = min(view.page, pages - 1)
    rows = page_of(order_by(found, view.sort or None, view.descending), page + 1, ROWS)
    key = f"visitors of {site.key}"

    def on_view_change() -> None:
        keep_view(site.key, view_of(site.key).updated(st.session_state[key].get("view")))

    def on_cleared_change() -> None:
        name = st.session_state[key].get("cleared")
        if name in CHOICES:
            keep_view(site.key, replace(view_of(site.key), page=0, **{name: None}))

    done = draw_table(
        _with_others(rows)[
            list(dict.fromkeys([*ALSO_SENT, *(column.name for column in VISITOR_COLUMNS)]))
        ],
        VISITOR_COLUMNS,
        key=key,
        name="Active visitors",
        href=f"visitor?site={site.key}&visit=",
        empty="Nobody is on the site right now." if picture.visitors.empty else NOBODY_FOUND,
        view=view.wire(),
        selected=view.selected,
        toolbar=Toolbar(
            search="Search page, source, country, visitor",
            filters=FILTERS,
            chips=_chips(view),
            count=_count(len(found), len(picture.visitors), page),
            page=page,
            pages=pages,
        ),
        clock=clock,
        on_view_change=on_view_change,
        on_cleared_change=on_cleared_change,
    )
    if done.opened:
        keep_view(site.key, replace(view_of(site.key), selected=str(done.opened)))
        st.switch_page("visitor/page.py", query_params={"site": site.key, "visit": done.opened})
    if done.acted:
        _act(picture, site, str(done.acted))


NOBODY_FOUND = "No visitor matches the search and the filters."


def choice_label(column: str, value: str) -> str:
    """The name of a choice in a breakdown."""
    return country_name(value) if column == "country" and value != OTHER else value


def _with_others(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, with ELSEWHERE where the visitor is in another product's chat."""
    conversation = rows["conversation"].astype("str")
    is_elsewhere = (conversation == "") & (rows["status"] == Status.CHATTING.value)
    return rows.assign(conversation=conversation.mask(is_elsewhere, ELSEWHERE))


def _act(picture: Picture, site: Site, visit_id: str) -> None:
    """Go to the visitor's chat, or open the invitation."""
    row = picture.visitors[picture.visitors["id"] == visit_id]
    if row.empty or row["conversation"].iloc[0] != ConversationState.OPEN.value:
        open_invitation(site, visit_id)
        return
    st.switch_page(
        "chats/page.py",
        query_params={"site": site.key, "conversation": row["conversation_id"].iloc[0]},
    )


def _chips(view: TableView) -> list[Chip]:
    return [
        Chip(column, f"{label}: {choice_label(column, value)}")
        for column, label in CHOICES.items()
        if (value := getattr(view, column)) is not None
    ]


def _count(found: int, all_visitors: int, page: int) -> str:
    total = plural(all_visitors, "visitor")
    if found > ROWS:
        first = page * ROWS + 1
        shown = f"{first:,}–{min(first + ROWS - 1, found):,}"
        return (
            f"{shown} of {total}" if found == all_visitors else f"{shown} of {found:,} of {total}"
        )
    return total if found == all_visitors else f"{found:,} of {total}"
