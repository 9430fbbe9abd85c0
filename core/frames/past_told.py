"""What visits had told by a moment that lies before their newest event: pages, names, carts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Row

from core.moment import to_milliseconds
from core.visits.past_rows import changes_of, page_texts, views_until
from core.visits.presence import ChangeKind
from core.visits.row_keys import CHANGE_KINDS

_ATTRIBUTES, _CART, _COUNTRY = (
    CHANGE_KINDS[kind] for kind in (ChangeKind.ATTRIBUTES, ChangeKind.CART, ChangeKind.COUNTRY)
)
_VIEW_RANK = 0
_RANKS = {CHANGE_KINDS[ChangeKind.SHOWN]: 1, CHANGE_KINDS[ChangeKind.PAGE]: 2}
"""Of what is told of the current page of the same moment, the higher one holds (docs/schema.md, visit_change)."""

_read_json = msgspec.json.Decoder().decode


class Told(Struct, gc=False):
    """What one visit had told. attributes: JSON. page: the current one's number, told_at: its moment and rank."""

    page_count: int = 0
    page: int = 0
    told_at: tuple[int, int] = (0, 0)
    path: str = ""
    title: str = ""
    page_context: str = ""
    attributes: str = "{}"
    cart_value: float = 0.0
    cart_currency: str = ""
    has_country: bool = True


def told_until(
    db: Connection, site_id: int, numbers: Sequence[int], moment: datetime
) -> Mapping[int, Told]:
    """What each of these visits of the site had told, by its number."""
    told = {number: Told() for number in numbers}
    _take_views(told, views_until(db, site_id, numbers, moment))
    _take_changes(told, changes_of(db, site_id, numbers), to_milliseconds(moment))
    pages = page_texts(db, site_id, {each.page for each in told.values()})
    texts = {page: text for page, *text in pages}
    for each in told.values():
        if each.page in texts:
            each.path, each.title, each.page_context = texts[each.page]
    return told


def _take_views(told: Mapping[int, Told], views: Sequence[Row[int, int, int]]) -> None:
    for number, viewed_at, page in views:
        each = told[number]
        each.page_count += 1
        if (viewed_at, _VIEW_RANK) >= each.told_at:
            each.page, each.told_at = page, (viewed_at, _VIEW_RANK)


def _take_changes(
    told: Mapping[int, Told], changes: Sequence[Row[int, int, int, int, str]], at: int
) -> None:
    newest: dict[tuple[int, int], int] = {}
    for number, kind, changed_at, page, words in changes:
        each = told[number]
        if changed_at > at:
            each.has_country = each.has_country and kind != _COUNTRY
        elif kind in _RANKS:
            if (changed_at, _RANKS[kind]) >= each.told_at:
                each.page, each.told_at = page, (changed_at, _RANKS[kind])
        elif changed_at >= newest.get((number, kind), 0):
            newest[number, kind] = changed_at
            _take_words(each, kind, words)


def _take_words(told: Told, kind: int, words: str) -> None:
    if kind == _ATTRIBUTES:
        told.attributes = words
    elif kind == _CART:
        cart = _read_json(words)
        told.cart_value, told.cart_currency = cart["value"], cart["currency"]
