"""Random visits of past days with their pages, and what is to be counted of them, told visit by visit."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from core.database import insert_into
from core.moment import from_milliseconds, to_milliseconds
from core.rollups.dimensions import Dimension, time_class
from core.tables import Visit, VisitCount
from core.trends.counts import PeriodCounts
from core.visits.calendar import Period
from tests.helpers.stored_rows import store_spans, store_views, store_visits

PAGES = (
    ("/", "Home", ""),
    ("/products/cup", "Cup", "Product"),
    ("/products/tea", "Tea", "Product"),
    ("/products/tea", "Tea, now cheaper", "Product"),
    ("/cart", "Cart", "Cart"),
    ("/checkout", "Checkout", "In Checkout"),
    ("/thanks", "Thank you", "Purchased"),
)
_SLOT = 900_000


@dataclass(frozen=True)
class PastView:
    """A page view; seconds: whole ones in view."""

    tab: int
    number: int
    at: int
    page: tuple[str, str, str]
    seconds: int


@dataclass(frozen=True)
class PastVisit:
    """A visit as its row has it, with its views in the order of time, and its in-view spans: (tab, from, length)."""

    row: dict[str, Any]
    views: Sequence[PastView]
    spans: Sequence[tuple[int, int, int]] = field(default=())

    @property
    def started_at(self) -> int:
        """Milliseconds."""
        return to_milliseconds(self.row["started_at"])

    @property
    def seconds(self) -> int:
        """Its time on site."""
        return (self.row["last_seen_at"] - self.row["started_at"]) // timedelta(seconds=1)


def make_visits(site_id: int, period: Period, number: int, seed: int) -> list[PastVisit]:
    """So many visits that began in the period, the oldest first; every tenth at its very edges."""
    chance = random.Random(seed)
    from_at, until_at = map(to_milliseconds, period)
    starts = sorted(chance.randrange(from_at, until_at) for _ in range(number))
    starts[0], starts[-1] = from_at, until_at - 1
    return [_make(site_id, place, at, chance) for place, at in enumerate(starts)]


def store(db: Connection, visits: Iterable[PastVisit]) -> None:
    """Store the visits with their views and spans, and count them by slot as the collector does."""
    visits = list(visits)
    if not visits:
        return
    store_visits(db, [visit.row for visit in visits])
    store_views(db, [_view_row(visit, view) for visit in visits for view in visit.views])
    store_spans(db, [_span_row(visit, *span) for visit in visits for span in visit.spans])
    slots = Counter((visit.row["site_id"], visit.started_at // _SLOT * _SLOT) for visit in visits)
    for (site_id, starts_at), number in slots.items():
        key = {"site_id": site_id, "starts_at": from_milliseconds(starts_at)}
        insert = insert_into(db, VisitCount).values(**key, visits=number)
        more = {"visits": VisitCount.__table__.c.visits + number}  # pyright: ignore
        db.execute(insert.on_conflict_do_update(index_elements=list(key), set_=more))


ExpectedCounts = dict[tuple[str, str], tuple[int, int, int, int]]
"""By dimension and value: visits, page views, one-page visits, seconds."""


def expected_counts(visits: Iterable[PastVisit]) -> ExpectedCounts:
    """What is to be counted of these visits."""
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for visit in visits:
        row, is_single = visit.row, len(visit.views) == 1
        values = {
            Dimension.SLOT: str(visit.started_at // _SLOT * _SLOT),
            Dimension.TIME: str(time_class(visit.seconds)),
            Dimension.SOURCE: row["source"],
            Dimension.CAMPAIGN: row["campaign"],
            Dimension.COUNTRY: row["country"],
            Dimension.DEVICE: row["device"],
            Dimension.BROWSER: "" if row["browser"] == "Other" else row["browser"],
            Dimension.ENTRY_PAGE: row["entry_path"],
            Dimension.EXIT_PAGE: row["current_path"],
            Dimension.RETURNING: ("", "new", "returning")[min(row["visit_number"], 2)],
        }
        for dimension, value in values.items():
            _add(sums[dimension.value, value], 1, len(visit.views), is_single, visit.seconds)
        for dimension, of in ((Dimension.PAGE, 0), (Dimension.CONTEXT, 2)):
            for value in {view.page[of] for view in visit.views}:
                seen = [view for view in visit.views if view.page[of] == value]
                seconds = sum(view.seconds for view in seen)
                _add(sums[dimension.value, value], 1, len(seen), is_single, seconds)
    return {key: (of[0], of[1], of[2], of[3]) for key, of in sums.items()}


def in_order(found: PeriodCounts) -> list[tuple[Any, ...]]:
    """What was counted of a period, to compare: (dimension, value, visits, page views, one-page visits)."""
    slots = found.slots
    columns = (slots.starts_at, slots.visits, slots.page_views, slots.one_page_visits)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    of_slots = [(Dimension.SLOT.value, str(starts_at), *rest) for starts_at, *rest in rows]
    others = [count[:5] for counts in found.values.values() for count in counts]
    return sorted([*of_slots, *others])


def _add(sums: list[int], *more: int) -> None:
    for place, number in enumerate(more):
        sums[place] += int(number)


def _make(site_id: int, place: int, started_at: int, chance: random.Random) -> PastVisit:
    begun = from_milliseconds(started_at)
    spans: list[tuple[int, int, int]] = []
    shown: list[tuple[int, int, int, tuple[str, str, str]]] = []
    at = 0
    for tab in range(1, chance.choice((1, 1, 2, 3)) + 1):
        for number in range(1, chance.choice((1, 1, 2, 4)) + 1):
            shown.append((tab, number * 2, at, chance.choice(PAGES)))
            for _ in range(chance.choice((0, 1, 2))):
                begin = at + chance.randrange(0, 5_000)
                length = chance.choice((0, 700, 12_345, 90_000))
                if all((tab, begin) != span[:2] for span in spans):
                    spans.append((tab, begin, length))
            at += chance.choice((0, 1, 900, 30_000, 600_000))
    in_order = sorted(shown, key=lambda view: view[2])
    ends = [visit_end(shown, spans), at]
    last = begun + timedelta(milliseconds=max(ends))
    remembered = chance.choice(("", "", f"visitor{chance.randrange(40)}"))
    row = {
        "site_id": site_id,
        "id": f"visit{site_id}x{place}x{started_at}",
        "visitor_id": remembered,
        "visit_number": chance.choice((1, 2, 5)) if remembered else 0,
        "started_at": begun,
        "last_seen_at": last,
        "last_activity_at": last,
        "in_view_until": last,
        "page_count": len(shown),
        "entry_path": in_order[0][3][0],
        "current_path": in_order[-1][3][0],
        "source": chance.choice(("Google", "Direct", "news.example", "")),
        "campaign": chance.choice(("", "", "Spring")),
        "browser": chance.choice(("Chrome", "Safari", "Other", "")),
        "device": chance.choice(("Desktop", "Phone", "")),
        "country": chance.choice(("DE", "NP", "NZ", "")),
    }
    visit = Visit(**row)
    views = [
        PastView(tab, number, at, page, _seconds((tab, at, number), shown, spans))
        for tab, number, at, page in in_order
    ]
    return PastVisit(visit.model_dump(warnings=False), views, spans)


def visit_end(shown: Sequence[tuple[Any, ...]], spans: Sequence[tuple[int, int, int]]) -> int:
    """Milliseconds after the begin of the last sign of life."""
    return max([view[2] for view in shown] + [begin + length for _, begin, length in spans])


def _seconds(
    of: tuple[int, int, int],
    shown: Sequence[tuple[Any, ...]],
    spans: Sequence[tuple[int, int, int]],
) -> int:
    """Of the tab's spans what lies between this view and the tab's next one, by its moment and then its number; what
    lies before its first counts from that on."""
    tab, at, number = of
    following = [view[2] for view in shown if view[0] == tab and (view[2], view[1]) > (at, number)]
    until = min(following, default=1 << 60)
    seen = 0
    for of_tab, begin, length in spans:
        if of_tab == tab:
            seen += max(min(begin + length, until) - max(begin, at), 0)
    return seen // 1000


def _view_row(visit: PastVisit, view: PastView) -> dict[str, Any]:
    path, title, context = view.page
    return {
        "site_id": visit.row["site_id"],
        "visit_id": visit.row["id"],
        "tab": view.tab,
        "number": view.number,
        "viewed_at": visit.row["started_at"] + timedelta(milliseconds=view.at),
        "path": path,
        "title": title,
        "page_context": context,
    }


def _span_row(visit: PastVisit, tab: int, begin: int, length: int) -> dict[str, Any]:
    from_at = visit.row["started_at"] + timedelta(milliseconds=begin)
    return {
        "site_id": visit.row["site_id"],
        "visit_id": visit.row["id"],
        "tab": tab,
        "kind": "in_view",
        "number": begin * 10 + tab,
        "from_at": from_at,
        "until_at": from_at + timedelta(milliseconds=length),
        "is_open": False,
    }
