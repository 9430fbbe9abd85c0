"""Active Visitors: the frame as a live table."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

import streamlit as st

from core.accounts.identity import Role
from core.enrich.country import country_name
from core.enrich.page_context import PageContext
from core.frames import OTHER, OTHER_LABEL, Picture
from core.tables import Site
from core.visits.presence import Status
from pages.invite.dialog import open_invitation
from pages.invite.links import open_chat
from pages.live.columns import CHAT, PAST_CHAT, SITE_COLUMN, VISITOR_COLUMNS
from pages.live.opened_visitor import open_visitor, opened_row
from pages.live.row_id import visit_of
from pages.live.table_page import ROWS, table_page
from pages.live.view import CHOICES, NO_CONTEXT, TableView, around_search, current_view, keep_view
from pages.parts.past_moment import at_parameter
from pages.parts.site_choice import ALL_SITES
from pages.parts.table.component import Chip, Clock, Column, Filter, Toolbar, draw_table
from pages.parts.texts import plural
from pages.parts.viewer import may

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


def draw_visitors(
    picture: Picture,
    site: Site,
    sites: Sequence[Site],
    clock: Clock,
    moment: datetime | None = None,
) -> None:
    """Draw the table with its toolbar; open a visitor when a row is chosen.

    sites: the site, or each one that All sites stands for. moment: the past one that the picture is of: nobody of then
    can be invited; None: it is live.
    """
    view = current_view()
    columns = _columns(site, is_live=moment is None)
    at = urlencode(at_parameter(moment, site.time_zone))
    shown = table_page(picture, site.key, view, columns, at)
    key = f"visitors of {site.key}" if moment is None else f"visitors of {site.key} then"

    def on_view_change() -> None:
        keep_view(current_view().updated(st.session_state[key].get("view")))

    def on_opened_change() -> None:
        open_visitor(str(st.session_state[key].get("opened")))

    def on_cleared_change() -> None:
        keep_view(current_view().cleared(str(st.session_state[key].get("cleared"))))

    done = draw_table(
        shown.rows,
        columns,
        key=key,
        name="Active visitors",
        href=f"visitor?{at and f'{at}&'}site={site.key}&visit=",
        empty=_empty(picture, is_live=moment is None),
        view=view.wire(),
        around_search=around_search(),
        selected=opened_row(),
        toolbar=Toolbar(
            search="Search page, source, country, visitor",
            filters=FILTERS,
            chips=_chips(view),
            count=_count(shown.found, picture.cards.online, shown.page),
            page=shown.page,
            pages=shown.pages,
            columns_stored_as="visitor-monitor-columns",
            keys=True,
        ),
        clock=clock,
        on_view_change=on_view_change,
        on_opened_change=on_opened_change,
        on_cleared_change=on_cleared_change,
    )
    acted = visit_of(str(done.acted), sites) if done.acted else None
    if acted and moment is None and may(Role.AGENT):
        _act(picture, *acted)


NOBODY = "Nobody is on the site right now."
NOBODY_THEN = "Nobody was on the site at this moment."
NOBODY_FOUND = "No visitor matches the search and the filters."


def choice_label(column: str, value: str) -> str:
    """The name of a choice in a breakdown."""
    if value == OTHER:
        return OTHER_LABEL
    return country_name(value) if column == "country" else value


def _empty(picture: Picture, *, is_live: bool) -> str:
    if picture.cards.online:
        return NOBODY_FOUND
    return NOBODY if is_live else NOBODY_THEN


def _columns(site: Site, *, is_live: bool) -> tuple[Column, ...]:
    """Without the chats for who may not chat; of the past without what can be done."""
    columns = [each for each in VISITOR_COLUMNS if each.name != CHAT or may(Role.AGENT)]
    if not is_live:
        columns = [PAST_CHAT if each.name == CHAT else each for each in columns]
    if site.key == ALL_SITES:
        after = [column.name for column in columns].index("path") + 1
        columns.insert(after, SITE_COLUMN)
    return tuple(columns)


def _act(picture: Picture, site: Site, visit_id: str) -> None:
    """Go to the visitor's chat, or open the invitation."""
    chat = picture.open_chats.get((site.key, visit_id))
    if chat is None:
        open_invitation(site, visit_id)
        return
    open_chat(site, chat)


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
