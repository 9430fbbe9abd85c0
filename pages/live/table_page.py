"""The rows that one page of the visitor table shows, ready to send: made once for all who look at it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.enrich.page_context import PageContext
from core.frames import Picture, count_pages, narrow, order_by, page_of
from core.visits.presence import Status
from pages.live.columns import ALSO_SENT, CHAT_THEN, ELSEWHERE, PAST_CHAT
from pages.live.row_id import row_id
from pages.live.view import TableView
from pages.parts.picture_cache import once_a_picture
from pages.parts.ready_data import ReadyJson, values_of
from pages.parts.site_choice import ALL_SITES
from pages.parts.snapshots import FIRST_ROWS
from pages.parts.table.component import Column, ready_rows

ROWS = FIRST_ROWS
"""Rows on one page of the table."""

_AT_THE_TILL = [PageContext.CART.value, PageContext.IN_CHECKOUT.value]


@dataclass(frozen=True)
class TablePage:
    """rows: as `ready_rows` makes them. found: the visitors that pass the filters, on all pages.
    page: from 0; the last one if the view names one behind it."""

    rows: ReadyJson
    found: int
    page: int
    pages: int


def table_page(
    picture: Picture, key: str, view: TableView, columns: Sequence[Column], at: str = ""
) -> TablePage:
    """The page of the picture that the view asks for. `key`: whose picture it is, a site's or ALL_SITES.
    `at`: the query that names its moment in an address, "" of a live one.

    The picture has ROWS of its visitors, or all of them where the view needs every row.
    """
    return _table_page(picture, key, view, tuple(column.name for column in columns), at)


@once_a_picture
def _table_page(
    picture: Picture, key: str, view: TableView, columns: tuple[str, ...], at: str
) -> TablePage:
    found, number = picture.visitors, picture.cards.online
    if view.needs_every_row:
        found = narrow(found, view.filters())
        found, number = order_by(found, view.sort or None, view.descending), len(found)
    pages = count_pages(number, ROWS)
    page = min(view.page, pages - 1)
    rows = page_of(found, page + 1, ROWS)
    made = _made_columns(rows, key, at)
    sent = {
        name: made[name] if name in made else values_of(rows[name])
        for name in dict.fromkeys([*ALSO_SENT, *columns])
        if name in made or name in rows
    }
    return TablePage(ready_rows(sent), number, page, pages)


def _made_columns(rows: pd.DataFrame, key: str, at: str) -> dict[str, list[str]]:
    """What the frame does not have so: ids that are unique on the page, ELSEWHERE where the visitor is in another
    product's chat, the same in a word for the past, and cart_note: what the cart is worth, with the word unless the
    context says it. Of All sites also href, the address of the visitor's page."""
    names = ("conversation", "status", "cart", "page_context", "id", "site")
    conversations, statuses, carts, contexts, visits, sites = (
        values_of(rows[name]) for name in names
    )
    states = [*map(_conversation, conversations, statuses)]
    made = {
        "id": [row_id(*each, key) for each in zip(sites, visits, strict=True)],
        "conversation": states,
        "cart_note": [*map(_cart_note, carts, contexts)],
        PAST_CHAT.name: [CHAT_THEN[state] for state in states],
    }
    if key != ALL_SITES:
        return made
    # Neither a key nor an id has a sign that an address would have to escape.
    query = f"visitor?{at and f'{at}&'}site="
    hrefs = [f"{query}{site}&visit={visit}" for site, visit in zip(sites, visits, strict=True)]
    return made | {"href": hrefs}


def _conversation(state: str, status: str) -> str:
    return ELSEWHERE if not state and status == Status.CHATTING.value else state


def _cart_note(cart: str, context: str) -> str:
    return f"Cart {cart}" if cart and context not in _AT_THE_TILL else cart
