"""A crowd on a site at a moment: visits that began before and went on after it, as the collector stores them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator

from collector.writing.statements import Statements
from core.database import open_database, reading, writing
from core.enrich.page_context import PageContext
from core.moment import milliseconds
from core.sites import existing_site
from core.visits.hit import Event, EventKind, Opening
from core.visits.presence import COUNT_SLOT, VISIT_ENDS_AFTER
from core.visits.tracked_visit import TrackedVisit
from core.visits.visit import advance, open_visit
from core.visits.visit_rows import VisitRows
from core.visits.visit_sequence import take_numbers

MEAN_STAY = 360_000
"""Milliseconds that a visitor is active, in the mean."""

_SLOT = milliseconds(COUNT_SLOT)
_BEFORE, _AFTER = 5_400_000, 600_000
"""When visits begin, around the moment: some are longer than the others wait to be over."""

_PRESENCE = 30_000
_PAGE = 75_000
_AT_ONCE = 2_000
_CONTEXTS = tuple(PageContext)
_SOURCES = ("Direct", "Google", "Bing", "Instagram", "ChatGPT", "Newsletter")
_BROWSERS = ("Chrome", "Safari", "Edge", "Firefox", "Opera")
_COUNTRIES = ("US", "DE", "GB", "FR", "NL", "")


def store_crowd(database_url: str, online: int, moment: int) -> None:
    """Store visits of `shop` so that about so many are live at the moment, in milliseconds: they begin evenly."""
    chance, engine = random.Random(moment), open_database(database_url)
    a_visit_lasts = MEAN_STAY + milliseconds(VISIT_ENDS_AFTER)
    count = round(online * (_BEFORE + _AFTER) / a_visit_lasts)
    starts = sorted(moment + chance.randrange(-_BEFORE, _AFTER) for _ in range(count))
    statements = Statements(engine)
    with reading(engine) as db:
        site_id = existing_site(db, "shop").id or 0
    for first in range(0, count, _AT_ONCE):
        some = [_visit(site_id, at, chance) for at in starts[first : first + _AT_ONCE]]
        counts = Counter(visit.started_at // _SLOT * _SLOT for visit, _ in some)
        with writing(engine) as db:
            for number, (visit, _) in enumerate(some, take_numbers(db, site_id, len(some))):
                visit.number = number
            statements.store_visits(db, [visit for visit, _ in some])
            statements.store_rows(db, some)
            statements.add_counts(db, [(site_id, at, number) for at, number in counts.items()])
    engine.dispose()


def _visit(site_id: int, at: int, chance: random.Random) -> tuple[TrackedVisit, VisitRows]:
    """A visit whose pages load anew, in view until it leaves."""
    opening = Opening(
        source=chance.choice(_SOURCES),
        browser=chance.choice(_BROWSERS),
        os="Windows",
        country=chance.choice(_COUNTRIES),
    )
    leaves, rows = at + round(chance.expovariate(1 / MEAN_STAY)), VisitRows()
    first = _view(at, chance)
    visit = open_visit(site_id, f"{chance.getrandbits(80):020x}", first, opening)
    for page, event in _events(at, leaves, first, chance):
        advance(visit, f"tab{page}", event, rows)
    return visit, rows


def _events(
    at: int, leaves: int, view: Event, chance: random.Random
) -> Iterator[tuple[int, Event]]:
    page = 0
    while True:
        yield page, view
        until, number = min(at + _PAGE, leaves), 2
        while (at := at + _PRESENCE) < until:
            yield page, _event(EventKind.PRESENCE, number, at, view)
            number += 1
        yield page, _event(EventKind.HIDDEN, number, until, view)
        if until == leaves:
            return
        page, at = page + 1, until
        view = _view(at, chance)


def _event(kind: EventKind, number: int, at: int, view: Event) -> Event:
    return Event(kind, number, at, at - 5_000, view.path, view.title, view.context, page=1)


def _view(at: int, chance: random.Random) -> Event:
    place = chance.randrange(500)
    page = (f"/products/{place}", f"Product {place}", chance.choice(_CONTEXTS))
    return Event(EventKind.VIEW, 1, at, at, *page)
