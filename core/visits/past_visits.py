"""The visits that were live at a past moment, each as it was then."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection

from core.enrich.page_context import PageContext
from core.moment import milliseconds, to_milliseconds
from core.visits.default_order import CONTEXT_ORDER
from core.visits.live_counts import GROUPED_BY, LiveCounts
from core.visits.live_visits import LIVE_COLUMNS
from core.visits.liveness import is_idle, is_in_view
from core.visits.past_rows import (
    changes_of,
    chatting_at,
    find_row,
    page_texts,
    spans_until,
    views_until,
    visits_as_listed,
    visits_live_at,
)
from core.visits.presence import ACTIVE_FOR, ChangeKind, ChatSource
from core.visits.row_keys import CHANGE_KINDS

LISTED_NAMES = [column.name for column in LIVE_COLUMNS]
"""Of the columns of `rows_at`."""

_PLACES = {context.value: place for place, context in enumerate(CONTEXT_ORDER)}
_ACTIVE_FOR = milliseconds(ACTIVE_FOR)
_PAGE, _ATTRIBUTES, _CART, _COUNTRY, _SHOWN = (
    CHANGE_KINDS[kind]
    for kind in (
        *(ChangeKind.PAGE, ChangeKind.ATTRIBUTES, ChangeKind.CART),
        *(ChangeKind.COUNTRY, ChangeKind.SHOWN),
    )
)
_RANKS = {_SHOWN: 1, _PAGE: 2}
"""Of what is told of the current page of the same moment: before a page view, which has 0."""

_read_json = msgspec.json.Decoder().decode


class Told(Struct, gc=False):
    """What a visit had told by a moment that lies before its newest event. attributes: JSON."""

    page_count: int = 0
    page: int = 0
    page_told: tuple[int, int] = (-1, 0)
    path: str = ""
    title: str = ""
    attributes: str = "{}"
    cart_value: float = 0.0
    cart_currency: str = ""


class PastVisit(Struct, gc=False):
    """A visit as it was at a moment, in milliseconds; told: None where its row still says it.

    chat_started_at: of its newest chat, also of a later one.
    """

    site_id: int
    number: int
    id: str
    started_at: int
    last_seen_at: int
    last_activity_at: int
    in_view_until: int
    chat_started_at: int | None
    page_context: str
    source: str
    browser: str
    os: str
    country: str
    is_chatting: bool = False
    told: Told | None = None


def visits_at(db: Connection, site_ids: Sequence[int], moment: datetime) -> list[PastVisit]:
    """The visits of the sites that were live at the moment, in the default order.

    Of those that were Active then (ACTIVE_FOR), which of them was so last is not kept: they are in the order of
    their ids.
    """
    visits = [PastVisit(*row) for row in visits_live_at(db, site_ids, moment)]
    of_sites: defaultdict[int, dict[int, PastVisit]] = defaultdict(dict)
    for visit in visits:
        of_sites[visit.site_id][visit.number] = visit
    for site_id, of_site in of_sites.items():
        _put_back(db, site_id, of_site, moment)
    return _in_order(visits, to_milliseconds(moment))


def find_visit_at(
    db: Connection, site_id: int, visit_id: str, moment: datetime
) -> PastVisit | None:
    """One visit as it was at the moment; None when the site had none of this id then."""
    row = find_row(db, site_id, visit_id)
    if row is None or row.started_at > to_milliseconds(moment):
        return None
    visit = PastVisit(*row)
    _put_back(db, site_id, {visit.number: visit}, moment)
    return visit


def count_visits(visits: Sequence[PastVisit], moment: datetime) -> LiveCounts:
    """The visits, counted."""
    at = to_milliseconds(moment)
    return LiveCounts(
        online=len(visits),
        in_view=sum(is_in_view(visit, at) for visit in visits),
        chatting=sum(visit.is_chatting for visit in visits),
        groups={name: Counter(getattr(visit, name) for visit in visits) for name in GROUPED_BY},
    )


def rows_at(db: Connection, visits: Sequence[PastVisit], moment: datetime) -> list[tuple[Any, ...]]:
    """The visits in the columns of the live list (LIVE_COLUMNS), as they were, in their order."""
    at = to_milliseconds(moment)
    of_sites: defaultdict[int, list[int]] = defaultdict(list)
    for visit in visits:
        of_sites[visit.site_id].append(visit.number)
    stored = {
        (site_id, row[0]): row[1:]
        for site_id, numbers in of_sites.items()
        for row in visits_as_listed(db, site_id, numbers)
    }
    return [_row(visit, stored[visit.site_id, visit.number], at) for visit in visits]


def _put_back(
    db: Connection, site_id: int, visits: Mapping[int, PastVisit], moment: datetime
) -> None:
    """Make these visits of a site, by their numbers, what they were at the moment."""
    at = to_milliseconds(moment)
    chatted = [visit.number for visit in visits.values() if visit.chat_started_at is not None]
    for number in chatting_at(db, site_id, chatted, moment) if chatted else ():
        visits[number].is_chatting = True
    moved = {number: visit for number, visit in visits.items() if visit.last_seen_at > at}
    if not moved:
        return
    for number, last_activity_at, last_seen_at, was_in_view in spans_until(
        db, site_id, moved, moment
    ):
        visit = moved[number]
        visit.last_activity_at, visit.last_seen_at = last_activity_at, last_seen_at
        visit.in_view_until = at + bool(was_in_view)
    for visit in moved.values():
        visit.told = Told()
    _count_views(db, site_id, moved, moment)
    _apply_changes(db, site_id, moved, moment)
    _name_pages(db, site_id, moved.values())


def _count_views(
    db: Connection, site_id: int, moved: Mapping[int, PastVisit], moment: datetime
) -> None:
    for number, viewed_after, page in views_until(db, site_id, moved, moment):
        visit = moved[number]
        assert visit.told is not None
        visit.told.page_count += 1
        viewed_at = visit.started_at + viewed_after
        if (viewed_at, 0) >= visit.told.page_told:
            visit.told.page, visit.told.page_told = page, (viewed_at, 0)


def _apply_changes(
    db: Connection, site_id: int, moved: Mapping[int, PastVisit], moment: datetime
) -> None:
    at = to_milliseconds(moment)
    newest: dict[tuple[int, int], int] = {}
    for number, kind, changed_at, page, words in changes_of(db, site_id, moved):
        told = moved[number].told
        assert told is not None
        if changed_at > at:
            if kind == _COUNTRY:
                moved[number].country = ""
            continue
        if kind in _RANKS:
            if (changed_at, _RANKS[kind]) >= told.page_told:
                told.page, told.page_told = page, (changed_at, _RANKS[kind])
            continue
        if changed_at < newest.get((number, kind), 0):
            continue
        newest[number, kind] = changed_at
        if kind == _ATTRIBUTES:
            told.attributes = words
        elif kind == _CART:
            cart = _read_json(words)
            told.cart_value, told.cart_currency = cart["value"], cart["currency"]


def _name_pages(db: Connection, site_id: int, moved: Iterable[PastVisit]) -> None:
    told_by = [(visit, visit.told) for visit in moved if visit.told is not None]
    texts = {
        page: tuple(text)
        for page, *text in page_texts(db, site_id, {told.page for _, told in told_by})
    }
    for visit, told in told_by:
        told.path, told.title, visit.page_context = texts.get(told.page, ("", "", ""))


def _in_order(visits: Sequence[PastVisit], at: int) -> list[PastVisit]:
    def place(visit: PastVisit) -> tuple[Any, ...]:
        is_active = at - visit.last_activity_at < _ACTIVE_FOR
        return (
            is_idle(visit, at),
            _PLACES.get(visit.page_context, _PLACES[PageContext.NONE]),
            not is_in_view(visit, at),
            -at if is_active else -visit.last_activity_at,
            visit.id,
            visit.site_id,
        )

    return sorted(visits, key=place)


def _row(visit: PastVisit, stored: Sequence[Any], at: int) -> tuple[Any, ...]:
    columns = dict(zip(LISTED_NAMES, stored, strict=True))
    columns |= {
        "page_context": visit.page_context,
        "country": visit.country,
        "last_seen_at": visit.last_seen_at,
        "last_activity_at": visit.last_activity_at,
        "in_view_until": visit.in_view_until,
        "chat_source": (ChatSource.BUILT_IN if visit.is_chatting else ChatSource.NONE).value,
        "chat_message_at": at if visit.is_chatting else None,
    }
    if visit.told is not None:
        columns |= {
            name: getattr(visit.told, name)
            for name in (
                *("page_count", "path", "title", "attributes"),
                *("cart_value", "cart_currency"),
            )
        }
    return tuple(columns.values())
